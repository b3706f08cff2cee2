"""Files in which an ONNX file keeps its weights, beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from denobench.errors import DenobenchError, reason


def beside(path: Path) -> list[Path]:
    """Return the files that hold an ONNX file's weights; none if it holds them itself.

    Raises
    ------
    DenobenchError
        If the file is damaged, or one of these is missing or outside of its folder.
    """
    import onnx

    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:
        raise DenobenchError(
            f"Model {path} cannot be read as ONNX: {reason(error)[:300]}"
        ) from None
    names = {
        each.value
        for tensor in _tensors(model)
        if tensor.data_location == onnx.TensorProto.EXTERNAL
        for each in tensor.external_data
        if each.key == "location"
    }
    return [_inside(path, name) for name in sorted(names)]


def _inside(path: Path, name: str) -> Path:
    """Return a file of weights by its name, if it lies in the folder of the file that names it."""
    found = path.parent / name
    if not found.resolve().is_relative_to(path.parent.resolve()):
        raise DenobenchError(
            f"Model {path} names weights outside of its folder ({name}), which are not read: put "
            "them beside it and save it again, or export it as one file."
        )
    if not found.is_file():
        raise DenobenchError(
            f"Model {path} keeps its weights in {name}, which is not beside it: copy it, too."
        )
    return found


def _tensors(model: Any) -> Iterator[Any]:
    """Yield all tensors of a model, of parts of its graph and of its functions, too."""
    waiting = [*model.graph.node, *(node for each in model.functions for node in each.node)]
    yield from _weights(model.graph)
    while waiting:
        for attribute in waiting.pop().attribute:
            yield from (attribute.t, *attribute.tensors)
            for graph in (attribute.g, *attribute.graphs):
                yield from _weights(graph)
                waiting += graph.node


def _weights(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
