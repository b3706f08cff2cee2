"""What any network needs to be a method: a trainer, checkpoints, weights, predictions.

Importing this package does not import Keras; building a network does.
"""

from __future__ import annotations

from denobench.networks.method import NetworkDenoiser
from denobench.networks.recipe import Recipe

__all__ = ["NetworkDenoiser", "Recipe"]
