"""Matrix products of small blocks, compiled, for a network's convolutions.

A linear algebra library copies both matrices into an order that suits it before it multiplies. For
matrices as small as these that takes a third of the time. Here the network's side is put in
order once, and the images' side is written so that it need not be.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import njit, types
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.extending import intrinsic

LANES = 16 if binding.get_host_cpu_features().get("avx512f") else 8  # of a vector register
VECTORS = 2  # registers side by side: columns of a block
ROWS = 6  # of a block
COLUMNS = VECTORS * LANES


class NoAlias(CompilerBase):
    """Compile a function of arrays that do not overlap, so that its loops become vector loops."""

    def define_pipelines(self) -> list[Any]:
        """Return numba's own passes."""
        self.state.flags.noalias = True
        return [DefaultPassBuilder.define_nopython_pipeline(self.state)]


COMPILED: dict[str, Any] = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "nsz", "arcp"},
    "pipeline_class": NoAlias,
}
# What only compiled functions call needs no entry from Python.
INNER = {**COMPILED, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def whole(columns: int) -> int:
    """Return the number of columns when the last vector register is filled."""
    return -(-columns // LANES) * LANES


def pack(matrices: np.ndarray) -> np.ndarray:
    """Put matrices, (..., depth, columns), in the order `multiply` reads: (..., size), float32.

    The columns are cut into panels as wide as a block, of which the last may be one register wide,
    filled with zeros; in a panel, a row follows the other.
    """
    *outer, depth, columns = matrices.shape
    filled = np.zeros((*outer, depth, whole(columns)), np.float32)
    filled[..., :columns] = matrices
    panels = [filled[..., first : first + COLUMNS] for first in range(0, columns, COLUMNS)]
    return np.concatenate([panel.reshape(*outer, -1) for panel in panels], axis=-1)


@njit(**INNER)
def multiply(
    left: np.ndarray,
    stride: int,
    count: int,
    depth: int,
    right: np.ndarray,
    out: np.ndarray,
    columns: int,
) -> None:
    """Write the product of two matrices.

    Each of its rows is the same bits whatever the others are. Where ``count`` is no multiple of a
    block's rows, some are computed twice; where it is less than a block's, so many are written
    that both arrays must have room for.

    Parameters
    ----------
    left
        Flat; row r starts at ``r * stride`` and may overlap the next.
    stride
        Numbers from one row of ``left`` to the next.
    count
        Rows.
    depth
        Length of a row of ``left``.
    right
        From `pack`.
    out
        Flat, of rows of ``columns`` numbers.
    columns
        Columns of the product, a multiple of a register's.
    """
    for first in range(0, columns - LANES, COLUMNS):
        for wanted in range(0, count, ROWS):
            row = max(min(wanted, count - ROWS), 0)
            place = row * columns + first
            _block(left, row * stride, stride, right, first * depth, depth, out, place, columns)
    first = columns // COLUMNS * COLUMNS
    if first < columns:
        for wanted in range(0, count, ROWS):
            row = max(min(wanted, count - ROWS), 0)
            place = row * columns + first
            _half(left, row * stride, stride, right, first * depth, depth, out, place, columns)


def _write_block(
    context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any, vectors: int
) -> ir.Value:
    """Write the instructions of a block so many vector registers wide."""
    single, word, lane = ir.FloatType(), ir.IntType(64), ir.IntType(32)
    vector = ir.VectorType(single, LANES)
    undefined = ir.Constant(vector, ir.Undefined)
    everywhere = ir.Constant(ir.VectorType(lane, LANES), [0] * LANES)

    def pointer(argument: int) -> ir.Value:
        array = context.make_array(signature.args[argument])
        data = array(context, builder, arguments[argument]).data
        return builder.gep(data, [arguments[argument + 1]])

    def moved(start: ir.Value, count: ir.Value | int, step: ir.Value | int = 1) -> ir.Value:
        count, step = (ir.Constant(word, x) if isinstance(x, int) else x for x in (count, step))
        return builder.gep(start, [builder.mul(count, step)])

    def as_vector(place: ir.Value) -> ir.Value:
        return builder.bitcast(place, vector.as_pointer())

    left, right, out = (pointer(argument) for argument in (0, 3, 6))
    left_stride, depth, out_stride = (arguments[argument] for argument in (2, 5, 8))
    starts = [moved(left, row, left_stride) for row in range(ROWS)]
    cells = [(row, column) for row in range(ROWS) for column in range(vectors)]

    before = builder.block
    loop, after = (builder.append_basic_block(name) for name in ("depth", "store"))
    builder.branch(loop)
    builder.position_at_end(loop)
    index = builder.phi(word)
    index.add_incoming(ir.Constant(word, 0), before)
    sums = {cell: builder.phi(vector) for cell in cells}
    factors = [
        builder.load(as_vector(moved(moved(right, index, vectors * LANES), column, LANES)), align=4)
        for column in range(vectors)
    ]
    added = {}
    for row in range(ROWS):
        number = builder.load(moved(starts[row], index))
        first = builder.insert_element(undefined, number, ir.Constant(lane, 0))
        spread = builder.shuffle_vector(first, undefined, everywhere)
        for column in range(vectors):
            product = builder.fmul(spread, factors[column], flags=("contract",))
            cell = (row, column)
            added[cell] = builder.fadd(sums[cell], product, flags=("contract",))
    following = builder.add(index, ir.Constant(word, 1))
    index.add_incoming(following, loop)
    for cell in cells:
        sums[cell].add_incoming(ir.Constant(vector, [0.0] * LANES), before)
        sums[cell].add_incoming(added[cell], loop)
    builder.cbranch(builder.icmp_signed("<", following, depth), loop, after)

    builder.position_at_end(after)
    for row, column in cells:
        place = moved(moved(out, row, out_stride), column, LANES)
        builder.store(added[row, column], as_vector(place), align=4)
    return context.get_dummy_value()


def _writer(vectors: int) -> Any:
    """Return the compiled function that writes a block so many registers wide."""

    def write(
        typing: Any,  # noqa: ARG001
        left: Any,
        left_start: Any,  # noqa: ARG001
        left_stride: Any,  # noqa: ARG001
        right: Any,
        right_start: Any,  # noqa: ARG001
        depth: Any,  # noqa: ARG001
        out: Any,
        out_start: Any,  # noqa: ARG001
        out_stride: Any,  # noqa: ARG001
    ) -> Any:
        def instructions(context: Any, builder: Any, made: Any, arguments: Any) -> ir.Value:
            return _write_block(context, builder, made, arguments, vectors)

        word = types.intp
        signature = types.void(left, word, word, right, word, word, out, word, word)
        return signature, instructions

    return intrinsic(write)


# Write one block of a product, whose sums stay in registers.
_block: Any = _writer(VECTORS)
_half: Any = _writer(1)
