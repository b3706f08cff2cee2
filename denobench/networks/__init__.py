"""What any network needs to be a method: a trainer, checkpoints, weights, predictions.

Importing this package does not import Keras; building a network does.
"""

from __future__ import annotations

import os

# Before TensorFlow starts, unless the user has chosen: no notes on stderr, and oneDNN's kernels,
# which TensorFlow leaves off on processors without AVX-512 although they are faster there too. In
# one place, so that a training has the same kernels, and so the same bits, wherever it goes on.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

from denobench.networks.method import NetworkDenoiser
from denobench.networks.recipe import Recipe

__all__ = ["NetworkDenoiser", "Recipe"]
