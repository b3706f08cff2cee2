"""One cell: whom a failure is charged to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from denobench.config import parse
from denobench.engine.planning.cell import Cell
from denobench.engine.planning.plan import make_plan
from denobench.engine.workers.cells import compute
from denobench.engine.workers.queue import PATIENCE, Queue
from denobench.rows import HARNESS, Row

PLUGIN = """
import numpy as np
from denobench import data_set, denoiser, noise_model
from denobench.datasets import Dataset, Item

@denoiser("copies", tracks=("oracle", "estimated"))
def copies(noisy, sigma):
    return noisy.copy()

@denoiser("raises", tracks=("blind",))
def raises(noisy, sigma, *, bad=True):
    if bad:
        raise ValueError("deliberately")
    return noisy.copy()

@noise_model("fails", title="Fails")
def fails(image, level, fields):
    raise RuntimeError("no noise today")

def nothing(noisy):
    return float("nan")

@noise_model("unknown", title="Unknown", estimate=nothing)
def unknown(image, level, fields):
    return image + level * fields[0]

class Gone(Item):
    def read(self, size=None):
        if self.id == "0":
            raise OSError("was replaced")
        return np.full((size, size), 0.5, np.float32)

@data_set("goes")
def goes(folder, *, progress=None):
    return Dataset("goes", tuple(Gone(f"{n}", "", f"{n}", f"goes {n}") for n in range(8)))
"""


@pytest.fixture
def cells(tmp_path: Path) -> Iterator[list[Cell]]:
    """Return the cells of a small plan, whose plugin is known meanwhile."""
    (tmp_path / "p.py").write_text(PLUGIN)
    config = parse(
        {
            "dataset": "goes",
            "size": 32,
            "split": "none",
            "noise": ["gaussian:0.1", "fails:0.1", "unknown:0.1"],
            "methods": {"copies": {"track": "estimated"}, "raises": {}},
            "plugins": [tmp_path / "p.py"],
        },
        "test",
    )
    plan = make_plan(config)
    with plan.plugins:
        yield plan.cells({})


def _row(cells: list[Cell], method: str, model: str, image: str) -> Row:
    (cell,) = (c for c in cells if (c.method, c.noise.model, c.item.id) == (method, model, image))
    return compute(cell).row


@pytest.mark.parametrize(
    ("method", "model", "image", "status", "reason"),
    [
        ("copies", "gaussian", "0", HARNESS, "reading failed: OSError: was replaced"),
        ("copies", "fails", "1", HARNESS, "noise failed: RuntimeError: no noise today"),
        ("copies", "unknown", "1", HARNESS, "estimating sigma failed: No noise can be"),
        ("raises", "unknown", "1", "failed", "ValueError: deliberately"),
        ("copies", "gaussian", "1", "ok", ""),
    ],
)
def test_failure_is_charged_to_what_failed(
    cells: list[Cell], method: str, model: str, image: str, status: str, reason: str
) -> None:
    """What reads, corrupts and estimates has a status of its own, with where and why."""
    found = _row(cells, method, model, image)
    assert found.status == status
    assert found.error.startswith(reason)


def test_method_is_not_given_up_for_what_the_harness_failed_at(cells: list[Cell]) -> None:
    """Any number of such rows gives nothing up, and breaks no row of failures either."""
    mine = [c for c in cells if c.method == "raises" and c.noise.model == "gaussian"]
    queue = Queue(mine)
    failed = compute(mine[1]).row
    given_up = [queue.learn(replace(failed, status=HARNESS)) for _ in range(3 * PATIENCE)]
    assert given_up == [[]] * len(given_up)
    for _ in range(PATIENCE - 1):
        assert queue.learn(failed) == []
        assert queue.learn(replace(failed, status=HARNESS)) == []
    assert queue.learn(failed)


def test_setting_that_fails_takes_no_other_setting_with_it(cells: list[Cell]) -> None:
    """After so many failures of one setting its cells are skipped, and those of others are not."""
    gaussian = [cell for cell in cells if cell.noise.model == "gaussian" and cell.item.id != "0"]
    bad = [cell for cell in gaussian if cell.method == "raises"]
    good = [replace(cell, parameters='{"bad": false}') for cell in bad]
    queue = Queue([*good, *bad])
    skipped: list[Row] = []
    for cell in bad[:PATIENCE]:
        skipped += queue.learn(compute(cell).row)
    assert {row.parameters for row in skipped} == {bad[0].parameters}
    assert len(skipped) == len(bad)
    left = []
    while (cell := queue.next()) is not None:
        left.append(cell)
    assert left == good
