"""A network for prediction only, without Keras and several times as fast.

The same function of the same weights as the Keras model that its graph was made of, computed with
fewer multiplications. Nothing here is differentiated: training uses Keras.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import nullcontext

import numba
import numpy as np

from denobench.errors import DenobenchError
from denobench.networks.inference.assembly import Step, assemble
from denobench.networks.inference.graph import Graph
from denobench.networks.inference.rearranging import Rearrangement
from denobench.networks.inference.stages import (
    NOTHING,
    Scratch,
    Shapes,
    Stage,
    bordered,
    inner,
    laid_out,
    needed,
)


class Predictor:
    """A graph with given weights.

    Parameters
    ----------
    graph
        The network.
    weights
        float32 arrays by the graph's names.
    factor
        The images' sides are multiples of it.

    Examples
    --------
    >>> predictor = Predictor(trace(model), weights)  # doctest: +SKIP
    >>> answers = predictor.predict_on_batch(images)  # doctest: +SKIP
    """

    def __init__(self, graph: Graph, weights: Mapping[str, np.ndarray], factor: int = 1) -> None:
        self._channels, self._factor = graph.channels, factor
        self._steps = assemble(graph, weights)
        self._memory: _Memory | None = None

    def predict_on_batch(self, images: np.ndarray) -> np.ndarray:
        """Return the network's answers, as a Keras model's method of this name does.

        Uses as many threads as numba is told to (``NUMBA_NUM_THREADS``, `numba.set_num_threads`);
        neither their number nor the other images of the batch change a bit of an answer.

        Parameters
        ----------
        images
            (batch, H, W, channels).

        Returns
        -------
        numpy.ndarray
            float32, (batch, H, W, outputs).

        Raises
        ------
        DenobenchError
            If the images have another shape.
        """
        images = np.asarray(images, np.float32)
        fits = images.ndim == 4 and images.shape[3] == self._channels
        if not fits or any(side % self._factor for side in images.shape[1:3]):
            raise DenobenchError(
                f"The network takes (batch, height, width, {self._channels}) with sides that are "
                f"multiples of {self._factor}, not {images.shape}."
            )
        if not images.size:
            return np.zeros((*images.shape[:3], self._steps[-1].work.channels), np.float32)
        threads = numba.get_num_threads()
        # Taken and put back, so that calls from several threads do not share it.
        memory, self._memory = self._memory, None
        if memory is None or memory.made_for != (*images.shape[1:3], threads):
            memory = _Memory(self._steps, images.shape[1:], threads)
        with ThreadPoolExecutor(threads) if threads > 1 else nullcontext() as pool:
            answers = np.stack([memory.run(image, pool) for image in images])
        self._memory = memory
        return answers


class _Memory:
    """What lies between the steps, for images of one size, and what the threads work in."""

    def __init__(self, steps: list[Step], shape: tuple[int, ...], threads: int) -> None:
        self.made_for = (*shape[:2], threads)
        self._steps, self._images = steps, {0: bordered(*shape)}
        self._sizes = {0: (shape[0], shape[1])}
        shapes: list[Shapes] = []
        last_use = {number: step for step in steps for number in (*step.inputs, step.added)}
        free: dict[tuple[int, ...], list[np.ndarray]] = {}
        for step in steps:
            height, width = self._sizes[step.inputs[0]]
            work = step.work
            shapes.append(() if isinstance(work, Rearrangement) else work.shapes(width))

            height, width = int(work.growth * height), int(work.growth * width)
            self._sizes[step.answer] = (height, width)
            # What no later step reads is written again, while it is still near the processor.
            spare = free.get((height, width, work.channels), [])
            image = spare.pop() if spare else bordered(height, width, work.channels)
            self._images[step.answer] = image
            for number in {*step.inputs, step.added}:
                if number and last_use[number] is step:
                    size = (*self._sizes[number], self._images[number].shape[2])
                    free.setdefault(size, []).append(self._images[number])
        # All stages of a thread work in one memory, which stays near its processor.
        most = max(map(needed, shapes))
        memories = [np.empty(most, np.float32) for _ in range(threads)]
        self._scratch = [[laid_out(each, shape) for each in memories] for shape in shapes]

    def run(self, image: np.ndarray, pool: Executor | None) -> np.ndarray:
        """Return the answer to one image."""
        inner(self._images[0])[...] = image
        for step, scratch in zip(self._steps, self._scratch, strict=True):
            if isinstance(step.work, Rearrangement):
                views = [inner(self._images[number]) for number in step.inputs]
                step.work.run(inner(self._images[step.answer]), *views)
            else:
                self._in_parts(step, step.work, scratch, pool)
        return inner(self._images[self._steps[-1].answer]).copy()

    def _in_parts(
        self, step: Step, stage: Stage, scratch: list[Scratch], pool: Executor | None
    ) -> None:
        """Compute a stage, each thread some of its parts."""
        source, target = self._images[step.inputs[0]], self._images[step.answer]
        added = NOTHING if step.added is None else self._images[step.added]
        size, threads = self._sizes[step.inputs[0]], len(scratch)
        count = stage.parts(size[0])
        cuts = [count * thread // threads for thread in range(threads + 1)]
        calls = [
            (source, target, added, size, (first, last), own)
            for first, last, own in zip(cuts, cuts[1:], scratch, strict=False)
            if first < last
        ]
        if pool is None:
            stage.run(*calls[0])
        else:
            list(pool.map(stage.run, *zip(*calls, strict=True)))
