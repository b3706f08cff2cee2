"""The names and shapes of the network's 16 arrays, and the network as data.

``conv_1/kernel`` (height, width, input channels, filters) and ``conv_1/bias`` to ``conv_8/bias``,
in the order of Keras' ``get_weights``; `denobench.networks.weights` reads and writes them.
"""

from __future__ import annotations

from itertools import pairwise

from denobench.networks.inference.graph import Graph, Node

FACTOR = 8  # three poolings: what the images' sides are multiples of
CHANNELS = (3, 32, 64, 128, 128, 128, 128, 64, 3)
SHAPES: dict[str, tuple[int, ...]] = {
    f"conv_{number}/{part}": shape
    for number, (inputs, filters) in enumerate(pairwise(CHANNELS), 1)
    for part, shape in (("kernel", (3, 3, inputs, filters)), ("bias", (filters,)))
}


def graph() -> Graph:
    """Return Table 1 of the paper as data."""
    operations: list[tuple[str, ...]] = []
    for number in range(1, 9):
        weights = (f"conv_{number}/kernel", f"conv_{number}/bias")
        before = [("enlargement",)] if number > 5 else []
        after = [("pooling",)] if number < 4 else []
        activation = "sigmoid" if number == 8 else "relu"
        operations += [*before, ("convolution", *weights), (activation,), *after]
    nodes = tuple(
        Node(operation, (place,), tuple(weights))
        for place, (operation, *weights) in enumerate(operations)
    )
    return Graph("cdae", CHANNELS[0], nodes, SHAPES)
