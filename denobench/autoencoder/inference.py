"""The paper's network for prediction only, without Keras and several times as fast.

The same function of the same weights as `architecture.build_cdae`, computed with fewer
multiplications. Nothing here is differentiated: training uses Keras.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import nullcontext
from typing import Protocol

import numba
import numpy as np

from denobench.autoencoder.ends import First, Last
from denobench.autoencoder.upsampling import UpConvolution
from denobench.autoencoder.weights import FACTOR
from denobench.autoencoder.winograd import Convolution
from denobench.errors import DenobenchError

BORDER = (1, 4)  # zeros before and after an image between two stages, of which tiles read some


class Stage(Protocol):
    """A convolution with what comes before or after it, computed in parts that are independent.

    Attributes
    ----------
    channels
        Of its answer.
    growth
        Sides of its answer, as a multiple of its image's.
    """

    channels: int
    growth: float

    def parts(self, height: int) -> int:
        """Return into how many parts an image of this height can be divided."""
        ...

    def scratch(self, width: int) -> tuple[np.ndarray, ...]:
        """Return the memory that one thread needs for images of this width."""
        ...

    def run(
        self,
        source: np.ndarray,
        target: np.ndarray,
        size: tuple[int, int],
        parts: tuple[int, int],
        scratch: tuple[np.ndarray, ...],
    ) -> None:
        """Compute the parts from the first to the last, without it.

        Parameters
        ----------
        source
            (H, W, channels) with a border of zeros; without, if it is the network's image.
        target
            What is written, with such a border; without, if it is the network's answer.
        size
            Height and width of the image in ``source``.
        parts
            The first, and the one after the last.
        scratch
            Memory that no other thread uses at the time.
        """
        ...


class Predictor:
    """The paper's network with given weights.

    Parameters
    ----------
    weights
        Arrays in Keras' order, which `denobench.autoencoder.weights` names.

    Examples
    --------
    >>> answers = Predictor(model.get_weights()).predict_on_batch(images)  # doctest: +SKIP
    """

    def __init__(self, weights: Sequence[np.ndarray]) -> None:
        arrays = [np.asarray(array, np.float32) for array in weights]
        first, *middle, last = zip(arrays[::2], arrays[1::2], strict=True)
        self._stages: list[Stage] = [First(*first)]
        self._stages += [
            Convolution(*pair, pooled=number < 2) for number, pair in enumerate(middle[:4])
        ]
        self._stages += [UpConvolution(*pair) for pair in middle[4:]]
        self._stages.append(Last(*last))
        self._memory: _Memory | None = None

    def predict_on_batch(self, images: np.ndarray) -> np.ndarray:
        """Return the network's answers, as a Keras model's method of this name does.

        Uses as many threads as numba is told to (``NUMBA_NUM_THREADS``, `numba.set_num_threads`);
        neither their number nor the other images of the batch change a bit of an answer.

        Parameters
        ----------
        images
            (batch, H, W, 3), sides that are multiples of 8.

        Returns
        -------
        numpy.ndarray
            float32, of the same shape, values in 0 to 1.

        Raises
        ------
        DenobenchError
            If the images have another shape.
        """
        images = np.ascontiguousarray(images, np.float32)
        if images.ndim != 4 or images.shape[3] != 3 or any(n % FACTOR for n in images.shape[1:3]):
            raise DenobenchError(
                f"The network takes (batch, height, width, 3) with sides that are multiples of "
                f"{FACTOR}, not {images.shape}."
            )
        answers = np.empty_like(images)
        if not images.size:
            return answers
        threads = numba.get_num_threads()
        # Taken and put back, so that calls from several threads do not share it.
        memory, self._memory = self._memory, None
        if memory is None or memory.made_for != (*images.shape[1:3], threads):
            memory = _Memory(self._stages, images.shape[1], images.shape[2], threads)
        with ThreadPoolExecutor(threads) if threads > 1 else nullcontext() as pool:
            for image, answer in zip(images, answers, strict=True):
                memory.run(self._stages, image, answer, pool)
        self._memory = memory
        return answers


class _Memory:
    """What lies between the stages, for images of one size, and what the threads work in."""

    def __init__(self, stages: list[Stage], height: int, width: int, threads: int) -> None:
        self.made_for = (height, width, threads)
        self._sizes = [(height, width)]
        self._between = []
        self._scratch = []
        for stage in stages:
            height, width = self._sizes[-1]
            self._scratch.append([stage.scratch(width) for _ in range(threads)])
            height, width = int(stage.growth * height), int(stage.growth * width)
            self._sizes.append((height, width))
            shape = (height + sum(BORDER), width + sum(BORDER), stage.channels)
            self._between.append(np.zeros(shape, np.float32))
        self._between.pop()  # the answer

    def run(
        self, stages: list[Stage], image: np.ndarray, answer: np.ndarray, pool: Executor | None
    ) -> None:
        """Compute one image."""
        ends = zip([image, *self._between], [*self._between, answer], strict=True)
        for stage, (source, target), size, scratch in zip(
            stages, ends, self._sizes, self._scratch, strict=False
        ):
            count, threads = stage.parts(size[0]), len(scratch)
            cuts = [count * thread // threads for thread in range(threads + 1)]
            calls = [
                (source, target, size, (first, last), own)
                for first, last, own in zip(cuts, cuts[1:], scratch, strict=False)
                if first < last
            ]
            if pool is None:
                stage.run(*calls[0])
            else:
                list(pool.map(stage.run, *zip(*calls, strict=True)))
