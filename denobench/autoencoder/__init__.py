"""The paper's convolutional denoising autoencoder (CDAE): architecture, training, weights.

Importing this package does not import Keras; building a network does.

References
----------
Shylaja P., "An implementation of denoising auto-encoder based deep learning approach on magnetic
resonance imaging".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from denobench.autoencoder.method import CDAE

if TYPE_CHECKING:
    from denobench.autoencoder.architecture import PhaseConv2D, build_cdae

__all__ = ["CDAE", "PhaseConv2D", "build_cdae"]


def __getattr__(name: str) -> Any:
    """Import what needs Keras when it is first asked for."""
    if name in ("PhaseConv2D", "build_cdae"):
        from denobench.autoencoder import architecture

        return getattr(architecture, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
