"""Stages of a graph and its weights: what follows a convolution is done while it is computed.

A normalisation becomes part of the kernel before it, an activation, a pooling or a sum part of the
stage, and so does an up-sampling before a convolution.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from denobench.networks.inference.graph import Graph, Node
from denobench.networks.inference.narrow import FewInputs, FewOutputs
from denobench.networks.inference.pixelwise import Pixelwise
from denobench.networks.inference.rearranging import GROWTH, Rearrangement, channels_of
from denobench.networks.inference.stages import Stage
from denobench.networks.inference.upsampling import UpConvolution
from denobench.networks.inference.winograd import Convolution

FEW = 8  # channels, at most, on the one side of a convolution that a narrow stage is quicker for
PRODUCTS = ("convolution", "halving", "doubling")

Weights = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Step:
    """What is computed of which images: the network's is number 0.

    Attributes
    ----------
    answer
        Number of the answer.
    inputs
        Numbers of the images it takes.
    work
        What computes it: a stage in parts, a rearrangement at once.
    added
        Number of the image that is added to a stage's answer, or None.
    """

    answer: int
    inputs: tuple[int, ...]
    work: Stage | Rearrangement
    added: int | None = None


@dataclass(frozen=True)
class _Draft:
    """A node with what is done beside it; of a convolution, the kernel and bias."""

    node: Node
    inputs: tuple[int, ...]
    kernel: np.ndarray | None = None  # (rows, columns, channels, filters)
    bias: np.ndarray | None = None
    activation: str = "linear"
    pooled: bool = False
    enlarged: bool = False
    added: int | None = None


def assemble(graph: Graph, weights: Weights) -> list[Step]:
    """Return the steps that compute a graph with given weights, the answer's last.

    Parameters
    ----------
    graph
        The network.
    weights
        float32 arrays by the graph's names.
    """
    uses = Counter(number for node in graph.nodes for number in node.inputs)
    channels = {0: graph.channels}
    drafts: dict[int, _Draft] = {}  # in the order in which they are computed
    for answer, node in enumerate(graph.nodes, 1):
        for number in sorted(node.inputs, reverse=True):
            alone = uses[number] == 1 and number in drafts
            merged = _merged(drafts[number], node, number, weights) if alone else None
            if merged:
                del drafts[number]
                drafts[answer] = merged
                break
        else:
            drafts[answer] = _drafted(node, weights)
        kernel = drafts[answer].kernel if node.operation in PRODUCTS else None
        given = [channels[number] for number in node.inputs]
        channels[answer] = kernel.shape[3] if kernel is not None else channels_of(node, given)
    return [
        Step(answer, draft.inputs, _work(draft, channels[answer], weights), draft.added)
        for answer, draft in drafts.items()
    ]


def _drafted(node: Node, weights: Weights) -> _Draft:
    """Return a node with its kernel and bias, if it has some."""
    if node.operation not in PRODUCTS:
        return _Draft(node, node.inputs)
    kernel = weights[node.weights[0]]
    if node.operation == "doubling":  # Keras keeps the kernel of the convolution it transposes
        kernel = kernel.transpose(0, 1, 3, 2)
    bias = weights[node.weights[1]] if node.weights[1] else np.zeros(kernel.shape[3], np.float32)
    return _Draft(node, node.inputs, kernel, bias)


def _merged(before: _Draft, node: Node, number: int, weights: Weights) -> _Draft | None:
    """Return what computes the node together with the draft that it alone uses, or None."""
    wide = node.operation == "convolution" and weights[node.weights[0]].shape[0] == 3
    if before.node.operation == "enlargement":
        drafted = _drafted(node, weights)
        return replace(drafted, inputs=before.inputs, enlarged=True) if wide else None
    if before.kernel is None or before.added is not None or before.pooled:
        return None
    side, filters, linear = before.kernel.shape[0], before.kernel.shape[3], before.activation
    match node.operation:
        case "normalisation" if linear == "linear":
            return _normalised(before, node, weights)
        case "relu" if linear == "linear":
            return replace(before, activation="relu")
        case "sigmoid" if linear == "linear" and side == 3 and filters <= FEW:
            return replace(before, activation="sigmoid")
        case "pooling" if side == 3 and filters > FEW and not before.enlarged:
            return replace(before, pooled=True)
        case "sum" if len(node.inputs) == 2:
            (other,) = (each for each in node.inputs if each != number)
            return replace(before, added=other)
    return None


def _scale(node: Node, weights: Weights) -> tuple[np.ndarray, np.ndarray]:
    """Return what a normalisation multiplies channels with, and what it adds."""
    gamma, beta, mean, variance = (weights[name] if name else None for name in node.weights)
    assert mean is not None
    assert variance is not None
    factor = 1 / np.sqrt(variance.astype(np.float64) + node.number)
    factor = factor if gamma is None else factor * gamma
    return factor, (0 if beta is None else beta) - mean * factor


def _normalised(draft: _Draft, node: Node, weights: Weights) -> _Draft:
    """Return a convolution whose kernel and bias do the normalisation too."""
    assert draft.kernel is not None
    assert draft.bias is not None
    factor, offset = _scale(node, weights)
    kernel = (draft.kernel * factor).astype(np.float32)
    return replace(draft, kernel=kernel, bias=(draft.bias * factor + offset).astype(np.float32))


def _work(draft: _Draft, channels: int, weights: Weights) -> Stage | Rearrangement:
    """Return what computes a draft."""
    kernel, bias, activation = draft.kernel, draft.bias, draft.activation
    if kernel is None or bias is None:
        node = draft.node
        numbers = _scale(node, weights) if node.operation == "normalisation" else ()
        return Rearrangement(node.operation, channels, GROWTH.get(node.operation, 1.0), numbers)
    side, _, inputs, filters = kernel.shape
    if side < 3:
        transposed = draft.node.operation == "doubling"
        return Pixelwise(kernel, bias, activation=activation, transposed=transposed)
    if filters <= FEW:
        return FewOutputs(kernel, bias, activation=activation, enlarged=draft.enlarged)
    if draft.enlarged:
        return UpConvolution(kernel, bias, activation=activation)
    suited = FewInputs if inputs <= FEW else Convolution
    return suited(kernel, bias, activation=activation, pooled=draft.pooled)
