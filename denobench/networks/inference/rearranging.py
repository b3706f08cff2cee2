"""What of a network is no convolution and becomes part of none: done by NumPy, at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from denobench.networks.inference.graph import Node

GROWTH = {"pooling": 0.5, "unshuffle": 0.5, "enlargement": 2.0, "shuffle": 2.0}


def channels_of(node: Node, given: list[int]) -> int:
    """Return how many channels an operation's answer has, of images of so many."""
    match node.operation:
        case "unshuffle":
            return 4 * given[0]
        case "shuffle":
            return given[0] // 4
        case "first":
            return int(node.number)
        case "concatenation":
            return sum(given)
    return given[0]


@dataclass(frozen=True)
class Rearrangement:
    """One operation on whole images.

    Attributes
    ----------
    operation
        Its name in a graph.
    channels, growth
        Of its answer, as in `denobench.networks.inference.stages.Stage`.
    numbers
        Of a normalisation: what channels are multiplied with, and what is added.
    """

    operation: str
    channels: int
    growth: float
    numbers: tuple[np.ndarray, ...] = ()

    def run(self, target: np.ndarray, *images: np.ndarray) -> None:
        """Write the answer, of images without borders: (H, W, channels)."""
        image = images[0]
        match self.operation:
            case "relu":
                np.maximum(image, 0, out=target)
            case "sigmoid":
                target[...] = 1 / (1 + np.exp(-image))
            case "normalisation":
                target[...] = image * self.numbers[0] + self.numbers[1]
            case "pooling":
                target[...] = _blocks(image, *target.shape[:2]).max((1, 3))
            case "enlargement":
                _blocks(target, *image.shape[:2])[...] = image[:, np.newaxis, :, np.newaxis]
            case "unshuffle":
                blocks = _blocks(image, *target.shape[:2]).transpose(0, 2, 1, 3, 4)
                target[...] = blocks.reshape(target.shape)
            case "shuffle":
                height, width, _ = image.shape
                blocks = image.reshape(height, width, 2, 2, -1).transpose(0, 2, 1, 3, 4)
                target[...] = blocks.reshape(target.shape)
            case "first":
                target[...] = image[..., : self.channels]
            case "concatenation":
                np.concatenate(images, axis=2, out=target)
            case "difference":
                np.subtract(image, images[1], out=target)
            case _:
                np.add(image, images[1], out=target)
                for other in images[2:]:
                    target += other


def _blocks(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return a view of an image as 2 x 2 blocks: (height, 2, width, 2, channels)."""
    rows, columns, each = image.strides
    shape = (height, 2, width, 2, image.shape[2])
    strides = (2 * rows, rows, 2 * columns, columns, each)
    return np.lib.stride_tricks.as_strided(image, shape, strides)
