"""A graph of a Keras model, where the model is made of operations that graphs have.

This module imports Keras.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers

from denobench.networks.inference.graph import Graph, Node
from denobench.networks.layers import FirstChannels, Shuffle, Unshuffle
from denobench.networks.weights import shapes_of

Found = tuple[str, tuple[Any, ...], float, str]  # operation, weights, number, activation


class UntraceableError(Exception):
    """A layer that is none of a graph's operations; the text names it."""


def trace(model: keras.Model, name: str) -> Graph:
    """Return the model's graph, under a name.

    Raises
    ------
    UntraceableError
        If a layer is none of `denobench.networks.inference.graph.OPERATIONS`, or if the model has
        more than one input or output.
    """
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise UntraceableError("a model of several inputs or outputs")
    names = dict(zip(map(id, model.weights), shapes_of(model), strict=True))
    nodes: list[Node] = []
    numbers = {id(model.inputs[0]): 0}

    def add(operation: str, inputs: tuple[int, ...], weights: tuple = (), number: float = 0) -> int:
        named = tuple("" if weight is None else names[id(weight)] for weight in weights)
        nodes.append(Node(operation, inputs, named, number))
        return len(nodes)

    for node in _nodes(model):
        operation, weights, number, activation = _operation(node)
        inputs = tuple(numbers[id(tensor)] for tensor in node.input_tensors)
        last = inputs[0] if operation == "" else add(operation, inputs, weights, number)
        if activation != "linear":
            last = add(activation, (last,))
        (output,) = node.output_tensors
        numbers[id(output)] = last
    if numbers.get(id(model.outputs[0])) != len(nodes):
        raise UntraceableError("a model whose answer is not its last layer's")
    return Graph(name, model.inputs[0].shape[-1], tuple(nodes), shapes_of(model))


def _nodes(model: keras.Model) -> list[Any]:
    """Return the calls of a model's layers, in an order in which they can be computed."""
    functional = getattr(model, "_functional", None) or model
    if not hasattr(functional, "_nodes_by_depth"):
        raise UntraceableError(f"a model that is no graph of layers, {type(model).__name__}")
    by_depth = functional._nodes_by_depth
    ordered = [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]
    return [node for node in ordered if not isinstance(node.operation, layers.InputLayer)]


def _operation(node: Any) -> Found:
    """Return what a layer's call is in a graph."""
    layer = node.operation
    reader = _READERS.get(type(layer)) or _BY_NAME.get(type(layer).__name__)
    found = reader(layer, node) if reader else None
    if found is None:
        raise UntraceableError(f"the layer {layer.name} ({type(layer).__name__})")
    return found


def _activation(layer: Any) -> str | None:
    """Return the name of a layer's activation, or None if a graph has none such."""
    name = getattr(layer.activation, "__name__", "")
    return name if name in ("linear", "relu", "sigmoid") else None


def _convolution(layer: layers.Conv2D, _: Any) -> Found | None:
    activation = _activation(layer)
    plain = layer.groups == 1 and (*layer.dilation_rate,) == (1, 1) and activation
    sides, strides = (*layer.kernel_size,), (*layer.strides,)
    if not plain or layer.data_format != "channels_last":
        return None
    weights = (layer.kernel, layer.bias if layer.use_bias else None)
    if (sides == (3, 3) and strides == (1, 1) and layer.padding == "same") or (
        sides == (1, 1) and strides == (1, 1)
    ):
        return "convolution", weights, 0, activation or ""
    return ("halving", weights, 0, activation or "") if sides == strides == (2, 2) else None


def _doubling(layer: layers.Conv2DTranspose, _: Any) -> Found | None:
    activation = _activation(layer)
    plain = (*layer.dilation_rate,) == (1, 1) and layer.output_padding is None
    if not plain or not activation or layer.data_format != "channels_last":
        return None
    weights = (layer.kernel, layer.bias if layer.use_bias else None)
    two = (*layer.kernel_size,) == (*layer.strides,) == (2, 2)
    return ("doubling", weights, 0, activation) if two else None


def _normalisation(layer: layers.BatchNormalization, node: Any) -> Found | None:
    if layer.axis not in (-1, len(node.input_tensors[0].shape) - 1):
        return None
    gamma, beta = (layer.gamma if layer.scale else None), (layer.beta if layer.center else None)
    weights = (gamma, beta, layer.moving_mean, layer.moving_variance)
    return "normalisation", weights, layer.epsilon, "linear"


def _relu(layer: layers.ReLU, _: Any) -> Found | None:
    plain = layer.max_value is None and not layer.negative_slope and not layer.threshold
    return ("relu", (), 0, "linear") if plain else None


def _by_activation(layer: layers.Activation, _: Any) -> Found | None:
    name = _activation(layer)
    return ("", (), 0, name) if name else None


def _pooling(layer: layers.MaxPooling2D, _: Any) -> Found | None:
    two = (*layer.pool_size,) == (*layer.strides,) == (2, 2)
    plain = two and layer.padding == "valid" and layer.data_format == "channels_last"
    return ("pooling", (), 0, "linear") if plain else None


def _enlargement(layer: layers.UpSampling2D, _: Any) -> Found | None:
    plain = layer.interpolation == "nearest" and layer.data_format == "channels_last"
    return ("enlargement", (), 0, "linear") if plain and (*layer.size,) == (2, 2) else None


def _concatenation(layer: layers.Concatenate, node: Any) -> Found | None:
    last = layer.axis in (-1, len(node.input_tensors[0].shape) - 1)
    return ("concatenation", (), 0, "linear") if last else None


def _sliced(_: Any, node: Any) -> Found | None:
    """Read ``images[..., :count]``."""
    key = node.arguments.args[1:]
    match key:
        case ((e, slice(start=None, stop=int(stop), step=None)),) if e is Ellipsis and stop > 0:
            return "first", (), stop, "linear"
    return None


def _simple(operation: str) -> Callable[[Any, Any], Found]:
    return lambda *_: (operation, (), 0, "linear")


_READERS: dict[type, Callable[[Any, Any], Found | None]] = {
    layers.Conv2D: _convolution,
    layers.Conv2DTranspose: _doubling,
    layers.BatchNormalization: _normalisation,
    layers.ReLU: _relu,
    layers.Activation: _by_activation,
    layers.MaxPooling2D: _pooling,
    layers.UpSampling2D: _enlargement,
    layers.Concatenate: _concatenation,
    layers.Add: _simple("sum"),
    layers.Subtract: _simple("difference"),
    layers.Dropout: _simple(""),
    Unshuffle: _simple("unshuffle"),
    Shuffle: _simple("shuffle"),
    FirstChannels: lambda layer, _: ("first", (), layer.count, "linear"),
}
_BY_NAME = {"GetItem": _sliced}  # Keras' own, without a public name
