"""Find out by trying how a network is used: on images whose noise is known.

What a file does not say is tried in every way that fits its inputs, and every answer is held
against the clean image. The way that denoises is the right one; if none does, that is said.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from denobench.errors import DenobenchError, reason, unknown
from denobench.foreign.candidates import candidates, scaled, shown
from denobench.foreign.network import Network
from denobench.foreign.reading import ANSWERS, RANGES, SAME, Reading
from denobench.foreign.samples import LEVELS, SIDE, Sample, Score, plain, samples, scores
from denobench.progress import Progress, unheard

_SCREENED = (LEVELS[0], LEVELS[2], LEVELS[4])  # to find the reading with
_LEAST = 0.3  # of what total variation gains: less is no denoising
_EQUAL = 0.01  # the same, between readings of which the plainest is taken
_MIXED = 0.2  # the same, that a range of the answer's own must be better than the image's
_NEARLY = 0.75  # of the best's share
_FLOOR = 2.0  # dB that total variation is taken to gain at least
_SERVED = 0.5  # of what total variation gains: a level that the network is made for
_REMOVED = 0.6  # of the noise, at least: the same
_ONE = 3  # levels in a row, at most, that are served by a network made for one of them
_SLOW_SECONDS = 0.3  # of the processor for a call: then samples of a quarter's size are enough
# Sides to try where a network takes none of SIDE: windows of 7 and the like, and fixed sides.
_SIDES = [SIDE, 256, 112, 120, 64, 96, 224, 160, 192, 240, 320, 384, 512, 32, 36, 40, 48, 50, 80]
_SIDES += [100, 180, 200, 250, 300, 400, 481, 321, 1024]
_ANSWERED = ("output", "answer", "answer_range")
# What sides may have to be a multiple of: each with a side that is no multiple of a later one.
_MULTIPLES = {1: 97, 2: 94, 3: 93, 4: 92, 5: 95, 6: 102, 7: 91, 8: 104, 10: 110, 12: 132, 14: 98}
_MULTIPLES |= {16: 176, 20: 100, 24: 120, 28: 140, 32: 96, 56: 168, 64: 192, 128: 384}


Scores = Mapping[float, Score]  # by level


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
        if max(self.gains.values()) < _LEAST * _FLOOR:
            return "removes no noise from the images that it was tried on"
        if not self.levels:
            return ""
        low, high = self.levels[0], self.levels[-1]
        if low == high < LEVELS[-1]:
            return f"is made for one level of noise, about {low:.3g} ({255 * low:.0f}/255)"
        little = [f"below {low:.3g}"] * (low > LEVELS[0]) + [f"above {high:.3g}"] * (
            high < LEVELS[-1]
        )
        return f"gains little on noise {' and '.join(little)}"


def find(
    network: Network,
    stated: Mapping[str, Any],
    *,
    name: str = "the network",
    progress: Progress = unheard,
) -> Found:
    """Find how a network is used.

    Parameters
    ----------
    network
        The loaded network.
    stated
        What is known of it, by the names of `Reading`: is not tried.
    name
        What it is called in an error.
    progress
        Told of each reading that is tried.

    Raises
    ------
    DenobenchError
        If no way to use it removes noise, or a statement is wrong or does not fit.
    """
    for each in stated:
        if each not in Reading.names():
            raise unknown("statement on a model", each, Reading.names())
    Reading(**stated)  # refuses values that are none
    try:
        ways, given, side = _working(network, stated)
    except DenobenchError as error:
        raise DenobenchError(f"{name} {error}") from None
    screened = [each for each in given if each.level in _SCREENED]
    tried: dict[Reading, list[Scores]] = {}
    every = [whole for way in ways for whole in scaled(way, stated)]
    for number, way in enumerate(every):
        progress(number, len(every), _line(way))
        tried |= _tried(network, way, screened, stated)
    progress(len(every), len(every))
    if not tried:
        told = ", ".join(f"{key} {value}" for key, value in stated.items())
        raise DenobenchError(f"{name} gives no image that fits what is stated: {told}.")
    return _chosen(network, tried, given, side, stated, name)


def _chosen(
    network: Network,
    tried: Mapping[Reading, Sequence[Scores]],
    given: Sequence[Sample],
    side: int,
    stated: Mapping[str, Any],
    name: str,
) -> Found:
    """Return the reading that gains most, of those that gain the same the plainest.

    What is told of it is of samples of one side, however slow the machine is.
    """
    usual = plain(given)
    merits = {way: _merit(way, found[0], usual) for way, found in tried.items()}
    best = _best(tried, merits, usual)
    if merits[best] < _LEAST and not {"range", "answer", "layout"} <= set(stated):
        gain = max(tried[best][0].values()).gain
        raise DenobenchError(
            f"{name} does not denoise in any of the {len(tried)} ways that fit its inputs; the "
            f"best ({_line(best)}) gains {gain:.1f} dB. If it is made for "
            "other images, state how it is used: layout, channels, range, answer, sigma."
        )
    table = []
    for way in sorted(tried, key=lambda each: -merits[each]):
        score = max(tried[way][0].values())
        table.append((way.but(multiple=1), score.noisy + score.gain, score.noisy))
    fitted = _fitted(best.but(multiple=side), given)
    found = scores([best.apply(network, each.noisy, each.level) for each in fitted], fitted)
    gains = {level: score.gain for level, score in found.items()}
    levels = () if best.told else _served(found, usual)
    return Found(_with_sides(network, best, stated), gains, tuple(table), levels)


def _best(
    tried: Mapping[Reading, Sequence[Scores]],
    merits: Mapping[Reading, float],
    usual: Mapping[float, float],
) -> Reading:
    """Return the best way, of equal ones the plainest.

    Of ways for colour that are nearly as good as the best, the one that is best on noise which
    differs between the channels.
    """
    enough = max(merits.values()) * (_NEARLY if max(merits.values()) > 0 else 1)
    clear = {
        way: max(_merit(way, each, usual) for each in found) - _MIXED * (way.answer_range != SAME)
        for way, found in tried.items()
        if merits[way] >= enough
    }
    most = max(clear.values())
    return next(way for way in sorted(clear, key=_odd) if clear[way] > most - _EQUAL)


def _odd(way: Reading) -> tuple[bool, bool, int]:
    """Return how unusual a way is."""
    return way.answer_range != SAME, way.sigma_power != 1, way.output


def _merit(way: Reading, found: Scores, usual: Mapping[float, float]) -> float:
    """Return a gain as a share of total variation's: the mean of all levels, or the best one's.

    The mean where sigma is told, so that it must be understood; a network that is not told may be
    made for one level.
    """
    shares = [max(each.gain / max(usual[level], _FLOOR), -1.0) for level, each in found.items()]
    return float(np.mean(shares)) if way.told else max(shares)


def _line(reading: Reading) -> str:
    told = reading.but(multiple=1).settings()
    return ", ".join(f"{key} {value}" for key, value in told.items()) or "as it is"


def _working(
    network: Network, stated: Mapping[str, Any]
) -> tuple[list[Reading], list[Sample], int]:
    """Return the ways in which a network gives an image at all, the samples to try them on.

    And the samples' side, which the ways do not have where the network is slow.

    Raises
    ------
    DenobenchError
        If there is none.
    """
    fitting = candidates(network.inputs, stated)
    given = samples()
    failures: dict[str, None] = {}
    for side in _SIDES:
        ways = []
        for way in fitting:
            way = way.but(multiple=side)  # for now: sides of it alone are tried
            try:
                _outputs(network, way, _fitted(way, given[:1]))
            except Exception as error:
                failures[reason(error).partition("\n")[0][:300]] = None
            else:
                ways.append(way)
        if ways:
            return _suited(network, ways, given), given, side
    why = "; ".join(list(failures)[:2])
    raise DenobenchError(
        f"cannot be used as a denoiser of one image; it takes {shown(network.inputs)}: {why}"
    )


def _suited(network: Network, ways: list[Reading], given: Sequence[Sample]) -> list[Reading]:
    """Return the ways with sides that a network has the time for: half of them if it is slow."""
    way = ways[0]
    sample = _fitted(way, given[:1])[0]
    started = time.process_time()  # what else the machine does changes nothing
    way.outputs(network, sample.noisy, sample.level)
    if time.process_time() - started < _SLOW_SECONDS or way.height or way.width:
        return ways
    small = [each.but(multiple=each.multiple // 2) for each in ways]
    try:
        for each in small:
            _outputs(network, each, _fitted(each, given[:1]))
    except Exception:
        return ways
    return small


def _outputs(
    network: Network, way: Reading, fitted: Sequence[Sample], *, colours: bool = False
) -> dict[int, list[np.ndarray]]:
    """Return those of a network's outputs that are an image, by number, for each of the samples.

    With ``colours`` their first channels, for images whose channels have noise of their own.

    Raises
    ------
    ValueError
        If none is.
    """
    given = [each.colours if colours else each.noisy for each in fitted]
    every = [
        way.outputs(network, image, each.level) for image, each in zip(given, fitted, strict=True)
    ]
    channel = 0 if colours else None
    found: dict[int, list[np.ndarray]] = {}
    fault: Exception = ValueError("gives nothing")
    for number in range(len(every[0])):
        try:
            found[number] = [
                way.but(output=number).plane(outputs, each.noisy.shape, channel)
                for outputs, each in zip(every, fitted, strict=True)
            ]
        except ValueError as error:
            fault = error
    if not found:
        raise fault
    return found


def _tried(
    network: Network, way: Reading, screened: Sequence[Sample], stated: Mapping[str, Any]
) -> dict[Reading, list[Scores]]:
    """Return what a way gains by level, with every output, answer and range of the answer.

    One for colour is also tried on noise that differs between the channels, as it was trained with:
    on three times the same noise other ranges may look better.
    """
    fitted = _fitted(way, screened)
    found: dict[Reading, list[Scores]] = {}
    for colours in (False, True) if way.channels == 3 else (False,):
        try:
            outputs = _outputs(network, way, fitted, colours=colours)
        except Exception:  # of a value that sigma may not have
            return found
        for number, planes in outputs.items():
            for whole in _answering(way.but(output=number), stated):
                pairs = zip(planes, fitted, strict=True)
                answers = [whole.answered(plane, each.noisy) for plane, each in pairs]
                found.setdefault(whole, []).append(scores(answers, fitted))
    return found


def _answering(way: Reading, stated: Mapping[str, Any]) -> Iterator[Reading]:
    """Yield a way with every answer and range of it."""
    others = [each for each in RANGES if each != way.range]
    for answer in ANSWERS:
        for range_ in (SAME, *others):
            whole = way.but(answer=answer, answer_range=range_)
            if all(stated.get(key) in (None, getattr(whole, key)) for key in _ANSWERED):
                yield whole


def _fitted(way: Reading, given: Sequence[Sample]) -> list[Sample]:
    """Return the samples with the sides that are tried."""
    sides = way.height or way.multiple, way.width or way.multiple
    return [each if each.noisy.shape == sides else each.cut(*sides) for each in given]


def _with_sides(network: Network, way: Reading, stated: Mapping[str, Any]) -> Reading:
    """Return a way with what its sides have to be: a multiple, the least that works, or fixed."""
    if "multiple" in stated or way.height or way.width:
        return way.but(multiple=stated.get("multiple", 1))
    for multiple, tested in _MULTIPLES.items():
        try:
            way.apply(network, np.full((tested, tested), 0.5, np.float32), 0.1)
        except Exception:
            continue
        return way.but(multiple=multiple)
    return way.but(multiple=1, height=way.multiple, width=way.multiple)


def _served(found: Scores, usual: Mapping[float, float]) -> tuple[float, ...]:
    """Return the levels that a network is made for, if these are not all: one, or a range.

    One that is made for a level takes no more noise out where there is more.
    """
    served = tuple(
        level
        for level in LEVELS
        if found[level].gain > _SERVED * usual[level] and found[level].removed > _REMOVED
    )
    if served == LEVELS or not served:
        return ()
    if len(served) > _ONE or served[-1] == LEVELS[-1]:
        return served
    return (max(served, key=lambda level: found[level].gain - usual[level]),)
