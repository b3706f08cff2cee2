"""The ways to give an image to a network that fit its inputs, as far as its file tells these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from denobench.errors import DenobenchError
from denobench.foreign.network import Port
from denobench.foreign.reading import LAYOUTS, RANGES, Reading

_NARROWEST = 8  # pixels of a side that a file may fix
_UNTOLD = ("nchw", "nhwc", "nhw", "hw")  # tried where a file tells no shapes


def candidates(inputs: Sequence[Port], stated: Mapping[str, Any]) -> list[Reading]:
    """Return the ways that fit the inputs and what is stated, without ranges and answers.

    Raises
    ------
    DenobenchError
        If there is none; the message says which statement is in the way.
    """
    if len(inputs) > 2:
        raise DenobenchError(
            f"takes {len(inputs)} inputs ({shown(inputs)}); known are an image, and sigma. Export "
            "it with these alone."
        )
    if not (found := list(_fitting(inputs, stated))):
        for name, value in stated.items():
            if any(_fitting(inputs, {key: stated[key] for key in stated if key != name})):
                raise DenobenchError(
                    f"does not fit what is stated: {name} {value}; it takes {shown(inputs)}."
                )
        raise DenobenchError(f"is no denoiser of one image: it takes {shown(inputs)}.")
    return found


def scaled(reading: Reading, stated: Mapping[str, Any]) -> Iterator[Reading]:
    """Yield a way in every range, and with sigma in every unit; the plainest first."""
    for range_, (low, high) in RANGES.items():
        if stated.get("range", range_) != range_:
            continue
        scales = dict.fromkeys((high - low, 1.0, 255.0) if reading.told else (1.0,))
        for power in (1, 2) if reading.told else (1,):
            for scale in scales:
                way = {"sigma_power": power, "sigma_scale": scale}
                way |= {key: value for key, value in stated.items() if key in way}
                yield reading.but(range=range_, **way)


def shown(inputs: Sequence[Port]) -> str:
    """Return inputs as a message shows them."""
    return ", ".join(
        f"{port.name} {port.shape or ''} {port.dtype}".replace("None", "?") for port in inputs
    )


def _fitting(inputs: Sequence[Port], stated: Mapping[str, Any]) -> Iterator[Reading]:
    for image, port in enumerate(inputs):
        if stated.get("image", image) != image:
            continue
        beside = [each for number, each in enumerate(inputs) if number != image]
        for layout in _layouts(port, stated):
            sides = {name: _side(port, layout, name[0]) for name in ("height", "width")}
            if any(sides[name] and stated.get(name) not in (None, sides[name]) for name in sides):
                continue
            known = {name: stated.get(name, side or 0) for name, side in sides.items()}
            for channels, sigma in _channels(port, layout, beside, stated):
                yield Reading(layout=layout, channels=channels, sigma=sigma, image=image, **known)


def _layouts(port: Port, stated: Mapping[str, Any]) -> list[str]:
    if port.shape is None:
        fitting: Sequence[str] = LAYOUTS if "layout" in stated else _UNTOLD
    else:
        fitting = [
            layout
            for layout in LAYOUTS
            if len(layout) == len(port.shape) and _side(port, layout, "c") in (None, 1, 2, 3, 4)
        ]
    return [
        layout
        for layout in fitting
        if stated.get("layout", layout) == layout
        and all((_side(port, layout, side) or _NARROWEST) >= _NARROWEST for side in "hw")
    ]


def _channels(
    port: Port, layout: str, beside: list[Port], stated: Mapping[str, Any]
) -> Iterator[tuple[int, str]]:
    """Yield how many channels the image has, and where sigma goes."""
    total = _side(port, layout, "c") if "c" in layout else 1
    for channels in (1, 3):
        if stated.get("channels", channels) != channels:
            continue
        channel = ("none", "channel", "first-channel")
        sigmas = _sigma_inputs(beside[0], layout) if beside else channel
        for sigma in sigmas:
            needed = channels + ("channel" in sigma)
            if total in (None, needed) and stated.get("sigma", sigma) == sigma:
                yield channels, sigma


def _sigma_inputs(port: Port, layout: str) -> tuple[str, ...]:
    """Return what sigma may be in an input of its own; as a map it has the image's axes."""
    if port.shape is None:
        return ("vector", "pixel", "map", "column", "scalar")
    by_rank: dict[int, tuple[str, ...]] = {0: ("scalar",), 1: ("vector",), 2: ("column",)}
    found = by_rank.get(len(port.shape), ())
    return (*found, "map", "pixel") if len(port.shape) == len(layout) else found


def _side(port: Port, layout: str, which: str) -> int | None:
    if port.shape is None or which not in layout:
        return None
    return port.shape[layout.index(which)]
