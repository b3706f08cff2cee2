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
# A GPU's memory is taken as it is needed, not most of it at once.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

from denobench.networks.method import NetworkDenoiser
from denobench.networks.recipe import Recipe

__all__ = ["NetworkDenoiser", "Recipe"]
