"""A network's graph as a module of torch, and as files that torch reads without this code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from denobench.networks.inference.graph import Graph, Node

if TYPE_CHECKING:
    import torch

_LEAST, _MOST = 2, 1024  # multiples of a side's factor that an exported program takes


def write(graph: Graph, weights: Mapping[str, np.ndarray], factor: int, path: Path) -> None:
    """Write a network from (batch, channels, H, W) to the like.

    Parameters
    ----------
    graph, weights
        The network, and its arrays by the graph's names.
    factor
        The images' sides are multiples of it.
    path
        ``.pt`` is TorchScript, ``.pt2`` torch.export.

    Raises
    ------
    ImportError
        If torch is not installed.
    """
    import torch

    network = module(graph, weights)
    image = torch.zeros(1, graph.channels, 8 * factor, 8 * factor)
    if path.suffix.lower() == ".pt":
        torch.jit.trace(network, image).save(str(path))
        return
    height, width = (
        factor * torch.export.Dim(name, min=_LEAST, max=_MOST) for name in ("down", "right")
    )
    program = torch.export.export(network, (image,), dynamic_shapes=({2: height, 3: width},))
    torch.export.save(program, path)


def module(graph: Graph, weights: Mapping[str, np.ndarray]) -> torch.nn.Module:
    """Return a network as a module of torch, from (batch, channels, H, W) to the like."""
    import torch

    class Network(torch.nn.Module):
        """The graph's nodes, one after another."""

        def __init__(self) -> None:
            super().__init__()
            for number, node in enumerate(graph.nodes):
                for place, array in enumerate(_arrays(node, weights)):
                    self.register_buffer(f"weight_{number}_{place}", torch.from_numpy(array))

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            """Return the answer."""
            found = [image]
            for number, node in enumerate(graph.nodes):
                named = [f"weight_{number}_{place}" for place in range(min(len(node.weights), 2))]
                own = [getattr(self, name) for name in named]
                found.append(_computed(node, [found[each] for each in node.inputs], own))
            return found[-1]

    return Network().eval()


def _arrays(node: Node, weights: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Return a node's weights as torch has them: of normalisations a factor and what is added."""
    given = [np.asarray(weights[name], np.float32) if name else None for name in node.weights]
    if node.operation == "normalisation":
        gamma, beta, mean, variance = given
        assert mean is not None
        assert variance is not None
        factor = (1.0 if gamma is None else gamma) / np.sqrt(variance + np.float32(node.number))
        added = (0.0 if beta is None else beta) - mean * factor
        return [np.asarray(each, np.float32).reshape(-1, 1, 1) for each in (factor, added)]
    if not given:
        return []
    kernel, bias = given
    assert kernel is not None
    outputs = kernel.shape[2 if node.operation == "doubling" else 3]
    return [
        np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)),
        np.zeros(outputs, np.float32) if bias is None else bias,
    ]


def _computed(node: Node, given: Sequence[Any], weights: Sequence[Any]) -> Any:
    """Return a node's answer."""
    import torch
    from torch.nn import functional

    image = given[0]
    match node.operation:
        case "convolution":
            return functional.conv2d(
                image, weights[0], weights[1], padding=weights[0].shape[2] // 2
            )
        case "halving":
            return functional.conv2d(image, weights[0], weights[1], stride=2)
        case "doubling":
            return functional.conv_transpose2d(image, weights[0], weights[1], stride=2)
        case "normalisation":
            return image * weights[0] + weights[1]
        case "pooling":
            return functional.max_pool2d(image, 2)
        case "enlargement":
            return functional.interpolate(image, scale_factor=2.0, mode="nearest")
        case "unshuffle":  # Keras' order of channels: by place in the block first
            blocks = functional.pixel_unshuffle(image, 2)
            return blocks.unflatten(1, (image.shape[1], 4)).transpose(1, 2).flatten(1, 2)
        case "shuffle":
            blocks = image.unflatten(1, (4, image.shape[1] // 4)).transpose(1, 2).flatten(1, 2)
            return functional.pixel_shuffle(blocks, 2)
        case "first":
            return image[:, : int(node.number)]
        case "concatenation":
            return torch.cat([*given], dim=1)
        case "difference":
            return image - given[1]
        case "sum":
            return sum(given[1:], image)
    return getattr(torch, node.operation)(image)  # relu, sigmoid
