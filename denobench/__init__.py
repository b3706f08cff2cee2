"""Fair, repeatable comparisons of denoising methods on brain MR images.

>>> import denobench
>>> rows = denobench.run("quick")  # doctest: +SKIP
>>> clean = denobench.denoise(image, "bm3d", sigma=0.1)  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module

# No import of `typing`: after `python -m denobench` modules are still looked for in the working
# folder here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.1.0"

# Where each public name lives: imported on first use, so that `import denobench` is light.
_PUBLIC = {
    "run": "denobench.api",
    "denoise": "denobench.api",
    "view": "denobench.viewing",
    "denoiser": "denobench.methods",
    "Denoiser": "denobench.methods",
    "FittedDenoiser": "denobench.methods",
    "metric": "denobench.metrics",
    "noise_model": "denobench.noise",
    "data_set": "denobench.datasets",
    "DenobenchError": "denobench.errors",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'denobench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
