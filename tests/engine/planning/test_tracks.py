"""What a method is told of sigma, and that tables say how wrong it was."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from denobench.engine.coordinator import Outcome
from denobench.errors import DenobenchError
from denobench.report.data.summary import summarise
from denobench.report.tables.scores import main_tables

Compare = Callable[..., Outcome]


def test_rows_say_what_methods_were_told(compare: Compare) -> None:
    """Oracle is told the level, estimated one shared estimate, times a factor; blind nothing."""
    estimated = {"track": "estimated"}
    outcome = compare(
        noise=["rician:0.1"],
        size=64,
        methods={
            "identity": {},
            "tv": {},
            "tv-double": {"method": "tv", "sigma_factor": 2},
            "tv-estimated": {"method": "tv", **estimated},
            "wavelet": estimated,
            "wavelet-half": {"method": "wavelet", "sigma_factor": 0.5, **estimated},
        },
    )
    told = outcome.folder.frame().pivot(index="image", columns="method", values="sigma")
    assert told["identity"].isna().all()
    assert (told["tv"] == 0.1).all()
    assert (told["tv-double"] == 0.2).all()
    assert told["tv-estimated"].equals(told["wavelet"].rename("tv-estimated"))
    assert (told["wavelet-half"] == 0.5 * told["wavelet"]).all()
    # Photographs are full of texture: the estimate is high, and the table says how much.
    errors = 100 * (told["wavelet"] / 0.1 - 1)
    (note,) = (
        note
        for note in main_tables(summarise([outcome.folder], intervals=False))[0].notes
        if note.startswith("Estimated σ")
    )
    assert f"{errors.median():+.1f} % at σ = 0.1".replace("-", "−") in note
    assert f"largest {errors.abs().max():.1f} %" in note


def test_scores_fall_when_sigma_is_wrong(compare: Compare) -> None:
    """Told half or twice of the true sigma, a method is worse than told the true one."""
    factors = {"half": 0.5, "true": 1, "double": 2}
    methods = {name: {"method": "nlm", "sigma_factor": each} for name, each in factors.items()}
    frame = compare(methods=methods, size=64).folder.frame()
    means = frame.groupby("method")["psnr"].mean()
    assert means["true"] > max(means["half"], means["double"])


def test_blind_method_has_no_factor(compare: Compare) -> None:
    """A method that is told nothing cannot be told a multiple of it."""
    with pytest.raises(DenobenchError, match="leave sigma_factor out"):
        compare(methods={"median": {"sigma_factor": 2}})
