"""Find out by trying how a network is used: on images whose noise is known.

What a file does not say is tried in every way that fits its inputs, and every answer is held
against the clean image. The way that denoises is the right one; if none does, that is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from denobench import seeds
from denobench.errors import DenobenchError, reason, unknown
from denobench.foreign.network import Network, Port
from denobench.foreign.reading import ANSWERS, LAYOUTS, RANGES, Reading

SIDE = 128  # of the images that are tried, a multiple of what most networks ask for
LEVELS = tuple(level / 255 for level in (5, 15, 25, 35, 50, 75))
_SCREENED = (0, 2, 4)  # of these levels, to find the reading with
_LEAST = 0.3  # of what total variation gains: less is no denoising
_EQUAL = 0.01  # the same, between readings of which the first is taken
_FLOOR = 2.0  # dB that total variation is taken to gain at least
_NARROWEST = 8  # pixels of a side that a file may fix
_SERVED = 0.5  # of what total variation gains: a level that the network is made for
_ONE = 3  # levels in a row, at most, that are served by a network made for one of them
_MULTIPLES = {1: 97, 2: 98, 4: 100, 8: 104, 16: 112, 32: 96, 64: 192}


@dataclass(frozen=True)
class Found:
    """What was found out about a network.

    Attributes
    ----------
    reading
        How it is used.
    gains
        PSNR that the best image gains, in dB, by level.
    tried
        Every reading that was possible, with its PSNR in dB at the level where it does best, and
        that of the noisy image there.
    levels
        The levels that it is made for, if these are not all of `LEVELS`; else empty.
    """

    reading: Reading
    gains: Mapping[float, float]
    tried: tuple[tuple[Reading, float, float], ...] = ()
    levels: tuple[float, ...] = field(default=())

    @property
    def remark(self) -> str:
        """What a table must say of it."""
        if not self.levels:
            return ""
        low, high = self.levels[0], self.levels[-1]
        if low == high < LEVELS[-1]:
            return f"is made for one level of noise, about {low:.3g}"
        little = [f"below {low:.3g}"] * (low > LEVELS[0]) + [f"above {high:.3g}"] * (
            high < LEVELS[-1]
        )
        return f"gains little on noise {' and '.join(little)}"


@dataclass(frozen=True)
class _Sample:
    """A clean image with noise of one level on it."""

    clean: np.ndarray
    noisy: np.ndarray
    level: float
    psnr: float


def find(network: Network, stated: Mapping[str, Any], *, name: str = "the network") -> Found:
    """Find how a network is used.

    Parameters
    ----------
    network
        The loaded network.
    stated
        What is known of it, by the names of `Reading`: is not tried.
    name
        What it is called in an error.

    Raises
    ------
    DenobenchError
        If no way to use it removes noise.
    """
    for each in stated:
        if each not in Reading.names():
            raise unknown("statement on a model", each, Reading.names())
    samples = _samples()
    plain = _plain(samples)
    tried: dict[Reading, dict[float, float]] = {}
    failures: dict[str, None] = {}
    screened = [each for each in samples if each.level in [LEVELS[n] for n in _SCREENED]]
    for way in _candidates(network.inputs, stated):
        tried |= _tried(network, way, screened, failures, stated)
    if not tried:
        why = "; ".join(list(failures)[:3])
        raise DenobenchError(
            f"{name} cannot be used as a denoiser of one image: {why or _shown(network.inputs)}."
        )
    merits = {way: _merit(way, gains, plain) for way, gains in tried.items()}
    best = next(way for way in tried if merits[way] > max(merits.values()) - _EQUAL)  # the plainest
    if merits[best] < _LEAST and not {"range", "answer", "layout"} <= set(stated):
        raise DenobenchError(
            f"{name} does not denoise in any of the {len(tried)} ways that fit its inputs; the "
            f"best ({_line(best)}) gains {max(tried[best].values()):.1f} dB. If it is made for "
            "other images, state how it is used: layout, channels, range, answer, sigma."
        )
    noisy = {each.level: each.psnr for each in screened}
    table = []
    for way in sorted(tried, key=lambda each: -merits[each]):
        level = max(tried[way], key=tried[way].__getitem__)
        table.append((way, tried[way][level] + noisy[level], noisy[level]))
    best = best.but(multiple=stated.get("multiple") or _multiple(network, best))
    gains = _gains(network, best, samples)
    return Found(best, gains, tuple(table), () if best.told else _served(gains, plain))


def _merit(way: Reading, gains: Mapping[float, float], plain: Mapping[float, float]) -> float:
    """Return a gain as a share of total variation's: the mean of all levels, or the best one's.

    The mean where sigma is told, so that it must be understood; a network that is not told may be
    made for one level.
    """
    shares = [max(gain / max(plain[level], _FLOOR), -1.0) for level, gain in gains.items()]
    return float(np.mean(shares)) if way.told else max(shares)


def _plain(samples: list[_Sample]) -> dict[float, float]:
    """Return what total variation gains, by level."""
    from skimage.restoration import denoise_tv_chambolle

    return _best([denoise_tv_chambolle(each.noisy, 0.8 * each.level) for each in samples], samples)


def config_line(name: str, model: str, reading: Reading) -> str:
    """Return the line of a config that states how a network is used."""
    stated = "".join(f", {key}: {_yaml(value)}" for key, value in reading.settings().items())
    return f"methods: {{{name}: {{model: {model}{stated}}}}}"


def _yaml(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) and not value.isalpha() else str(value)


def _line(reading: Reading) -> str:
    return ", ".join(f"{key} {value}" for key, value in reading.settings().items()) or "as it is"


def _samples() -> list[_Sample]:
    """Return noisy images of two kinds, a photograph and a slice of a head, at every level."""
    from skimage import data

    from denobench.datasets import simulated

    camera = data.camera()[100:356, 120:376].astype(np.float32) / 255
    camera = camera.reshape(SIDE, 2, SIDE, 2).mean((1, 3))
    head = np.array(simulated.images()[len(simulated.images()) // 2], np.float32)
    top, left = ((side - SIDE) // 2 for side in head.shape)
    samples = []
    for number, clean in enumerate((head[top : top + SIDE, left : left + SIDE], camera)):
        field_ = seeds.generator("models", number).standard_normal(clean.shape)
        for level in LEVELS:
            noisy = (clean + level * field_).astype(np.float32)
            constant = np.full_like(clean, noisy.mean())
            # What anybody gets: the noisy image, or none at all.
            samples.append(
                _Sample(clean, noisy, level, max(_psnr(clean, noisy), _psnr(clean, constant)))
            )
    return samples


def _psnr(clean: np.ndarray, answer: np.ndarray) -> float:
    error = float(np.mean((np.clip(answer, 0, 1) - clean) ** 2, dtype=np.float64))
    return -10 * float(np.log10(max(error, 1e-12))) if np.isfinite(error) else -100.0


def _candidates(inputs: tuple[Port, ...], stated: Mapping[str, Any]) -> Iterator[Reading]:
    """Yield the ways to give an image that fit the inputs; ranges and answers are not in them."""
    if len(inputs) > 2:
        raise DenobenchError(
            f"takes {len(inputs)} inputs ({_shown(inputs)}); known are an image, and sigma."
        )
    for image in [stated["image"]] if "image" in stated else range(len(inputs)):
        port = inputs[image]
        beside = [each for number, each in enumerate(inputs) if number != image]
        for layout in _layouts(port, stated):
            for channels, sigma in _channels(port, layout, beside, stated):
                known: dict[str, Any] = {"layout": layout, "channels": channels, "sigma": sigma}
                known |= {"image": image, "output": stated.get("output", 0)}
                yield Reading(**known, **_sides(port, layout, stated))


def _layouts(port: Port, stated: Mapping[str, Any]) -> list[str]:
    fitting = [
        layout
        for layout in LAYOUTS
        if port.shape is None
        or (len(layout) == len(port.shape) and _side(port, layout, "c") in (None, 1, 2, 3, 4))
    ]
    if port.shape is None:
        fitting = ["nchw", "nhwc", "nhw", "hw"]
    return [
        layout
        for layout in fitting
        if stated.get("layout", layout) == layout
        and all((_side(port, layout, side) or SIDE) >= _NARROWEST for side in "hw")
    ]


def _channels(
    port: Port, layout: str, beside: list[Port], stated: Mapping[str, Any]
) -> Iterator[tuple[int, str]]:
    """Yield how many channels the image has, and where sigma goes."""
    total = _side(port, layout, "c") if "c" in layout else 1
    for channels in (1, 3):
        if "channels" in stated and stated["channels"] != channels:
            continue
        if beside:
            sigmas: tuple[str, ...] = _sigma_inputs(beside[0])
        else:
            sigmas = ("none", "channel", "first-channel")
        for sigma in sigmas:
            needed = channels + ("channel" in sigma)
            if total in (None, needed) and stated.get("sigma", sigma) == sigma:
                yield channels, sigma


def _sigma_inputs(port: Port) -> tuple[str, ...]:
    if port.shape is None:
        return ("vector", "pixel", "map", "column", "scalar")
    by_rank: dict[int, tuple[str, ...]] = {0: ("scalar",), 1: ("vector",), 2: ("column",)}
    return by_rank.get(len(port.shape), ("map", "pixel"))


def _side(port: Port, layout: str, which: str) -> int | None:
    if port.shape is None or which not in layout:
        return None
    return port.shape[layout.index(which)]


def _sides(port: Port, layout: str, stated: Mapping[str, Any]) -> dict[str, Any]:
    found = {"height": _side(port, layout, "h") or 0, "width": _side(port, layout, "w") or 0}
    return {name: stated.get(name, value) for name, value in found.items()}


def _tried(
    network: Network,
    reading: Reading,
    samples: list[_Sample],
    failures: dict[str, None],
    stated: Mapping[str, Any],
) -> dict[Reading, dict[float, float]]:
    """Return what a way gains by level, in every range and with every answer."""
    found: dict[Reading, dict[float, float]] = {}
    fitted = _fitted(reading, samples)
    for range_, (low, high) in RANGES.items():
        if stated.get("range", range_) != range_:
            continue
        scales = dict.fromkeys((high - low, 1.0, 255.0) if reading.told else (1.0,))
        for scale in [stated["sigma_scale"]] if "sigma_scale" in stated else scales:
            way = reading.but(range=range_, sigma_scale=scale)
            try:
                outputs = [way.output_for(network, each.noisy, each.level) for each in fitted]
            except Exception as error:
                failures[reason(error).partition("\n")[0][:200]] = None
                return found  # not a matter of the range
            for answer in [stated["answer"]] if "answer" in stated else ANSWERS:
                whole = way.but(answer=answer)
                answers = [
                    whole.answered(output, each.noisy)
                    for output, each in zip(outputs, fitted, strict=True)
                ]
                found[whole] = _best(answers, fitted)
    return found


def _fitted(way: Reading, samples: list[_Sample]) -> list[_Sample]:
    """Return the samples as a network of fixed sides takes them: mirrored or cut."""
    if not (way.height or way.width):
        return samples
    height, width = way.height or SIDE, way.width or SIDE
    return [
        _Sample(
            _cut(each.clean, height, width), _cut(each.noisy, height, width), each.level, each.psnr
        )
        for each in samples
    ]


def _cut(image: np.ndarray, height: int, width: int) -> np.ndarray:
    down, right = max(height - image.shape[0], 0), max(width - image.shape[1], 0)
    return np.pad(image, ((0, down), (0, right)), "symmetric")[:height, :width]


def _best(answers: list[np.ndarray], samples: list[_Sample]) -> dict[float, float]:
    """Return what the better of the two kinds of images gains, by level."""
    gains: dict[float, float] = {}
    for answer, sample in zip(answers, samples, strict=True):
        gain = _psnr(sample.clean, answer) - sample.psnr
        gains[sample.level] = max(gains.get(sample.level, -100.0), gain)
    return gains


def _gains(network: Network, reading: Reading, samples: list[_Sample]) -> dict[float, float]:
    fitted = _fitted(reading, samples)
    answers = [reading.apply(network, each.noisy, each.level) for each in fitted]
    return _best(answers, fitted)


def _multiple(network: Network, reading: Reading) -> int:
    """Return what the sides have to be a multiple of: the least with which an image comes out."""
    if reading.height or reading.width:
        return 1
    for multiple, side in _MULTIPLES.items():
        image = np.full((side, side), 0.5, np.float32)
        try:
            reading.apply(network, image, 0.1)
        except Exception:
            continue
        return multiple
    return SIDE


def _served(gains: Mapping[float, float], plain: Mapping[float, float]) -> tuple[float, ...]:
    """Return the levels that a network is made for, if these are not all: one, or a range."""
    served = tuple(level for level in LEVELS if gains[level] > _SERVED * plain[level])
    if served == LEVELS or not served:
        return ()
    if len(served) > _ONE or served[-1] == LEVELS[-1]:
        return served
    return (max(served, key=lambda level: gains[level] - plain[level]),)


def _shown(inputs: tuple[Port, ...]) -> str:
    return ", ".join(
        f"{port.name} {port.shape or ''} {port.dtype}".replace("None", "?") for port in inputs
    )
