"""How an image is given to a network and its answer is taken, as far as a file does not say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from denobench.errors import DenobenchError, unknown
from denobench.foreign.network import NUMBER, Network, Port

LAYOUTS = ("nchw", "nhwc", "chw", "hwc", "nhw", "hw")
RANGES = {"0..1": (0.0, 1.0), "-1..1": (-1.0, 1.0), "0..255": (0.0, 255.0)}
ANSWERS = ("image", "residual", "negative-residual")
# Where sigma goes: a further input that is a number, (N,), (N, 1), (N, 1, 1, 1) or a map; a further
# channel behind the image's or before it.
SIGMAS = ("none", "scalar", "vector", "column", "pixel", "map", "channel", "first-channel")
SAME = "same"  # range of the answer as that of the image
_CHOICES = {
    "layout": LAYOUTS,
    "range": tuple(RANGES),
    "answer": ANSWERS,
    "answer_range": (SAME, *RANGES),
    "sigma": SIGMAS,
}
_LEAST = {"channels": 1, "multiple": 1, "sigma_power": 1, "height": 0, "width": 0, "output": 0}
_LEAST |= {"image": 0}

# Where an image's two axes are in an array with a batch.
_INDEX = {"nchw": np.s_[None, None], "nhwc": np.s_[None, ..., None], "nhw": np.s_[None]}

Call = Callable[[np.ndarray, float | None], np.ndarray]


@dataclass(frozen=True)
class Reading:
    """One way to use a network.

    Attributes
    ----------
    layout
        One of `LAYOUTS`: the order of batch, channels, height and width.
    channels
        Of the image: 1, or 3 that are all given the grey image, and whose mean is the answer.
    range
        What black and white are to the network: one of `RANGES`.
    answer
        ``image`` (denoised), ``residual`` (noise, to be subtracted) or ``negative-residual`` (to
        be added).
    answer_range
        What black and white are in its answer, where that is not ``same``: one of `RANGES`.
    sigma
        One of `SIGMAS`: where it is told sigma; ``none`` if it is not.
    sigma_scale
        What sigma, a fraction of full scale, is multiplied by.
    sigma_power
        2 if it is told the square of that, a variance; else 1.
    multiple
        Sides are padded to multiples of it.
    height, width
        The sides that it takes alone; 0 for any. Larger images are tiled, smaller ones padded.
    output
        Which of its outputs is the answer.
    image
        Which of its inputs is the image.
    """

    layout: str = "nchw"
    channels: int = 1
    range: str = "0..1"
    answer: str = "image"
    answer_range: str = SAME
    sigma: str = "none"
    sigma_scale: float = 1.0
    sigma_power: int = 1
    multiple: int = 1
    height: int = 0
    width: int = 0
    output: int = 0
    image: int = 0

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise unknown(f"{name} of a model", str(getattr(self, name)), choices)
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise DenobenchError(
                    f"{name} of a model is a whole number from {least}, not {value!r}."
                )
        if self.channels not in (1, 3):
            raise DenobenchError(f"channels of a model are 1 or 3, not {self.channels}.")
        if self.sigma_power not in (1, 2):
            raise DenobenchError(f"sigma_power of a model is 1 or 2, not {self.sigma_power}.")
        scale = self.sigma_scale
        if not isinstance(scale, int | float) or isinstance(scale, bool) or not 0 < scale < np.inf:
            raise DenobenchError(f"sigma_scale of a model is a number above 0, not {scale!r}.")

    def but(self, **changes: Any) -> Reading:
        """Return it with other values."""
        return replace(self, **changes)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return what can be stated of a network."""
        return tuple(each.name for each in fields(cls))

    def settings(self) -> dict[str, Any]:
        """Return all that is not the default."""
        return {
            name: value for name, value in asdict(self).items() if value != getattr(Reading(), name)
        }

    def stated(self) -> dict[str, Any]:
        """Return what a config has to state, so that nothing is tried."""
        always = ["layout", "channels", "range", "answer", "answer_range", "sigma", "multiple"]
        if self.told:
            always += ["sigma_scale", "sigma_power"]
        return {name: getattr(self, name) for name in always} | self.settings()

    def words(self) -> tuple[str, str, str, str, str]:
        """Return layout, channels, range, answer and sigma as a table shows them."""
        answer, sigma = self.answer, self.sigma
        if self.answer_range != SAME:
            answer += f" in {self.answer_range}"
        if self.output:
            answer += f", output {self.output}"
        if self.sigma_scale != 1:
            sigma += f" x {self.sigma_scale:g}"
        if self.sigma_power != 1:
            sigma += ", squared"
        return self.layout, str(self.channels), self.range, answer, sigma

    @property
    def told(self) -> bool:
        """Whether the network is told sigma."""
        return self.sigma != "none"

    def apply(self, network: Network, noisy: np.ndarray, sigma: float | None) -> np.ndarray:
        """Return a network's answer to an image whose sides suit it, float32, (H, W).

        Raises
        ------
        ValueError
            If it gives no image of these sides.
        """
        outputs = self.outputs(network, noisy, sigma)
        return self.answered(self.plane(outputs, noisy.shape), noisy)

    def prepared(self, network: Network) -> Call:
        """Return `apply` for one network, which does at every call only what changes.

        A small network is called in less than a millisecond, of which Python may take no part.
        """
        ports = network.inputs
        usual = all(port.dtype == "float32" and _batch(port, self) == 1 for port in ports)
        if not usual or "channel" in self.sigma or self.layout not in _INDEX:
            return lambda noisy, sigma: self.apply(network, noisy, sigma)
        index, channels, number = _INDEX[self.layout], self.channels, self.output
        low, high = RANGES[self.range]
        unit = (low, high) == (0, 1)
        as_it_is = self.answer == "image" and self.answer_range in (SAME, "0..1")
        axis = -1 if self.layout[-1] == "c" else 1

        def call(noisy: np.ndarray, sigma: float | None) -> np.ndarray:
            given = noisy[index] if unit else noisy[index] * (high - low) + low
            arrays = [given if channels == 1 else np.repeat(given, channels, axis)]
            if len(ports) > 1:
                scaled = ((sigma or 0.0) * self.sigma_scale) ** self.sigma_power
                arrays.insert(1 - self.image, self._sigma(scaled, noisy.shape, self.layout))
            outputs = network(arrays)
            found, shape = outputs[min(number, len(outputs) - 1)], arrays[self.image].shape
            if number >= len(outputs) or found.shape != shape or found.dtype != np.float32:
                plane = self.plane(outputs, noisy.shape)
            elif channels == 3:
                red, green, blue = np.moveaxis(found, axis, 0)
                plane = ((red + green + blue) / 3).reshape(noisy.shape)
            else:
                plane = found.reshape(noisy.shape)
            return plane if as_it_is and unit else self.answered(plane, noisy)

        return call

    def outputs(self, network: Network, noisy: np.ndarray, sigma: float | None) -> list[np.ndarray]:
        """Return all that a network gives for an image whose sides suit it.

        The image is float32, (H, W), or (3, H, W) where its channels are not all the same.
        """
        return network(self._inputs(network.inputs, noisy, 0.0 if sigma is None else sigma))

    def plane(
        self, outputs: Sequence[np.ndarray], shape: tuple[int, ...], channel: int | None = None
    ) -> np.ndarray:
        """Return the output that is the answer: the first of its batch, the mean of its channels.

        With ``channel`` one of three channels instead of their mean.

        Raises
        ------
        ValueError
            If it is no image of this shape.
        """
        if self.output >= len(outputs):
            raise ValueError(f"has {len(outputs)} outputs, none is number {self.output}")
        found = outputs[self.output]
        given = found.shape
        whole = self.layout[0] == "n" and found.ndim == len(self.layout)
        if whole or found.shape == (1, *shape):  # the latter without its channels
            found = found[0]
        if found.ndim == 3:
            axis = -1 if self.layout[-1] == "c" else 0
            if found.shape[axis] not in (1, 3):
                raise ValueError(f"gives {given}, which is no image of {shape}")
            if found.shape[axis] == 1 or channel is not None:
                found = found.take(channel or 0, axis)
            else:
                found = found.mean(axis)
        if found.shape != shape:
            raise ValueError(f"gives {given} for an image of {shape}")
        return found.astype(np.float32, copy=False)

    def answered(self, output: np.ndarray, noisy: np.ndarray) -> np.ndarray:
        """Return the denoised image for what a network gave."""
        low, high = RANGES[self.range if self.answer_range == SAME else self.answer_range]
        if self.answer == "image":
            return (output - low) / (high - low) if (low, high) != (0, 1) else output
        residual = output if high - low == 1 else output / (high - low)
        return noisy - residual if self.answer == "residual" else noisy + residual

    def _inputs(self, ports: Sequence[Port], noisy: np.ndarray, sigma: float) -> list[np.ndarray]:
        low, high = RANGES[self.range]
        scaled = noisy if (low, high) == (0, 1) else noisy * (high - low) + low
        sigma = (sigma * self.sigma_scale) ** self.sigma_power
        planes = [scaled] * self.channels if scaled.ndim == 2 else [*scaled]
        if self.sigma == "channel":
            planes = [*planes, np.full_like(planes[0], sigma)]
        elif self.sigma == "first-channel":
            planes = [np.full_like(planes[0], sigma), *planes]
        arrays: list[np.ndarray] = []
        for number, port in enumerate(ports):
            array = (
                self._arranged(planes)
                if number == self.image
                else self._sigma(sigma, noisy.shape[-2:], self.layout)
            )
            if array.ndim and (batch := _batch(port, self)) > 1:
                array = np.repeat(array, batch, axis=0)
            arrays.append(_as(array, port.dtype))
        return arrays

    def _arranged(self, planes: list[np.ndarray]) -> np.ndarray:
        if len(planes) == 1:
            (plane,) = planes
            axes = {"nchw": (0, 1), "nhwc": (0, 3), "chw": (0,), "hwc": (2,), "nhw": (0,), "hw": ()}
            return np.expand_dims(plane, axes[self.layout])
        last = self.layout.endswith("c")
        stacked = np.stack(planes, axis=-1 if last else 0)
        return stacked[None] if self.layout.startswith("n") else stacked

    def _sigma(self, sigma: float, shape: tuple[int, ...], layout: str) -> np.ndarray:
        shapes: dict[str, tuple[int, ...]] = {"scalar": (), "vector": (1,), "column": (1, 1)}
        shapes["pixel"] = (1,) * len(layout)
        sides: dict[str, int] = dict(zip("hw", shape, strict=True))
        shapes["map"] = tuple(sides.get(axis, 1) for axis in layout)
        return np.full(shapes.get(self.sigma, (1,)), sigma, np.float32)


def _batch(port: Port, reading: Reading) -> int:
    """Return how many images an input takes at once."""
    return (port.shape[0] or 1) if port.shape and reading.layout[0] == "n" else 1


def _as(array: np.ndarray, dtype: str) -> np.ndarray:
    """Return an array as an input takes it; integers are rounded, not cut off."""
    if dtype.startswith(("uint8", "int")):
        return np.clip(np.rint(array), 0, 255).astype(dtype)
    return array if dtype == NUMBER else array.astype(dtype, copy=False)
