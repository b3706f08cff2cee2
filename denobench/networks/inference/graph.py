"""A network as data: what is computed from what, with the names of its weights."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any

# Of each operation: images it takes (0: two or more), and its weights.
OPERATIONS = {
    "convolution": (1, ("kernel", "bias")),  # 3 x 3 'same', or 1 x 1
    "halving": (1, ("kernel", "bias")),  # 2 x 2 convolution, stride 2
    "doubling": (1, ("kernel", "bias")),  # 2 x 2 transposed convolution, stride 2
    "normalisation": (1, ("gamma", "beta", "mean", "variance")),  # by fixed moments
    "relu": (1, ()),
    "sigmoid": (1, ()),
    "pooling": (1, ()),  # maximum of 2 x 2
    "enlargement": (1, ()),  # nearest, 2 x 2
    "unshuffle": (1, ()),  # 2 x 2 pixels become one of four times the channels
    "shuffle": (1, ()),  # and back
    "first": (1, ()),  # the first channels, `number` of them
    "sum": (0, ()),
    "difference": (2, ()),
    "concatenation": (0, ()),
}


# What an operation does to an image's sides.
_SCALES = {
    **dict.fromkeys(("halving", "pooling", "unshuffle"), Fraction(1, 2)),
    **dict.fromkeys(("doubling", "enlargement", "shuffle"), Fraction(2)),
}


@dataclass(frozen=True)
class Node:
    """One operation of a network.

    Attributes
    ----------
    operation
        A name in `OPERATIONS`.
    inputs
        Numbers of the nodes whose answers it takes: 0 is the network's image, 1 the first node.
    weights
        Names of the weights; an empty name stands for a bias of zeros or a gamma of ones.
    number
        Of ``first``: channels. Of ``normalisation``: what is added to the variance.
    """

    operation: str
    inputs: tuple[int, ...]
    weights: tuple[str, ...] = ()
    number: float = 0


@dataclass(frozen=True)
class Graph:
    """A network from an image of so many channels to the answer of its last node.

    Attributes
    ----------
    name
        Of the method and its version, so that another's network is not taken for it.
    channels
        Of the image.
    nodes
        In an order in which they can be computed.
    shapes
        Names and shapes of all weights, in Keras' order.
    """

    name: str
    channels: int
    nodes: tuple[Node, ...]
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def parameters(self) -> int:
        """How many numbers the weights are."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    def multiplications(self, height: int, width: int) -> int:
        """Return how many products the convolutions of an image take, as they are defined."""
        scales = [Fraction(1)]  # of each node's answer, as a part of the image's sides
        total = Fraction(0)
        for node in self.nodes:
            given = scales[node.inputs[0]]
            scales.append(given * _SCALES.get(node.operation, 1))
            if node.weights[:1] and node.operation != "normalisation":
                seen = given if node.operation == "doubling" else scales[-1]
                total += seen**2 * math.prod(self.shapes[node.weights[0]])
        return round(total * height * width)

    def written(self) -> str:
        """Return the graph as JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))


def read(text: str) -> Graph:
    """Return the graph of a JSON text.

    Raises
    ------
    ValueError
        If it is none: another form, an unknown operation, or a node that takes a later answer.
    """
    try:
        found: Any = json.loads(text)
        nodes = tuple(
            Node(
                str(node["operation"]),
                tuple(int(number) for number in node["inputs"]),
                tuple(str(name) for name in node["weights"]),
                float(node["number"]),
            )
            for node in found["nodes"]
        )
        shapes = {
            str(name): tuple(int(n) for n in shape) for name, shape in found["shapes"].items()
        }
        graph = Graph(str(found["name"]), int(found["channels"]), nodes, shapes)
    except (TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"no graph of a network ({error})") from None
    for place, node in enumerate(nodes):
        takes, weights = OPERATIONS.get(node.operation, (-1, ()))
        count = len(node.inputs)
        right = takes == count or (takes == 0 and count > 1)
        if not right or not all(0 <= number <= place for number in node.inputs):
            raise ValueError(f"no graph of a network: {node.operation!r} of {node.inputs}")
        if len(node.weights) != len(weights) or not {*node.weights} <= {*shapes, ""}:
            raise ValueError(f"no graph of a network: {node.operation!r} with {node.weights}")
    if not nodes:
        raise ValueError("no graph of a network: it has no nodes")
    return graph
