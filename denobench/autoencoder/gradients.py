"""Two convolutions whose gradients are written by hand as matrix products.

Automatic differentiation gives the same gradients; its kernels for them take twice the time.
Kernels are given as tensors, not as variables.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

# What tap u of a 3 x 3 kernel adds to tap t of the 4 x 4 kernel of the transpose convolution.
_SPREAD = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], np.float32)


@ops.custom_gradient
def convolve(images: Any, kernel: Any) -> Any:
    """Return the 'same' convolution of images (batch, H, W, channels) with a 3 x 3 kernel.

    The kernel's gradient is computed row by row, each row's three taps as one matrix product of
    the images, shifted and side by side, with the output's gradient.
    """

    def gradient(*arguments: Any, upstream: Any = None) -> tuple[Any, Any]:
        output = arguments[0] if upstream is None else upstream
        _, height, width, channels = ops.shape(images)
        filters = ops.shape(kernel)[-1]
        padded = ops.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
        shifted = ops.concatenate([padded[:, :, v : v + width] for v in range(3)], axis=-1)
        rows = [_product(shifted[:, u : u + height], output) for u in range(3)]
        turned = ops.transpose(ops.flip(kernel, (0, 1)), (0, 1, 3, 2))
        return (
            ops.conv(output, turned, 1, "same"),
            ops.reshape(ops.stack(rows), (3, 3, channels, filters)),
        )

    return ops.conv(images, kernel, 1, "same"), gradient


@ops.custom_gradient
def upsample_and_convolve(images: Any, kernel: Any) -> Any:
    """Return the 'same' convolution of images, repeated 2 x 2, with a 3 x 3 kernel.

    It is computed as a transpose convolution of stride 2. Backwards, an up-sampled pixel is four
    equal ones, so a tap's gradient at a pixel of the small image is the sum over a 2 x 2 block of
    the output's gradient, the block's place depending on the tap. From these nine sums both
    gradients are one matrix product each, 9 multiplications where the plain layers spend 36.
    """

    def gradient(*arguments: Any, upstream: Any = None) -> tuple[Any, Any]:
        output = arguments[0] if upstream is None else upstream
        _, height, width, channels = ops.shape(images)
        filters = ops.shape(kernel)[-1]
        padded = ops.pad(output, ((0, 0), (1, 1), (1, 1), (0, 0)))
        blocks = [
            ops.average_pool(padded[:, 2 - u :][:, : 2 * height, 2 - v :][:, :, : 2 * width], 2, 2)
            for u in range(3)
            for v in range(3)
        ]
        sums = 4 * ops.concatenate(blocks, axis=-1)
        taps = ops.reshape(ops.transpose(kernel, (0, 1, 3, 2)), (9 * filters, channels))
        product = ops.reshape(_product(images, sums), (channels, 3, 3, filters))
        return ops.matmul(sums, taps), ops.transpose(product, (1, 2, 0, 3))

    spread = ops.cast(_SPREAD, kernel.dtype)
    taps = ops.einsum("su,tv,uvio->stoi", spread, spread, kernel)
    return ops.conv_transpose(images, taps, 2, "same"), gradient


def _product(first: Any, second: Any) -> Any:
    """Return the sum over all pixels of the products of two images' channels."""
    first, second = (ops.reshape(image, (-1, ops.shape(image)[-1])) for image in (first, second))
    return ops.matmul(ops.transpose(first), second)
