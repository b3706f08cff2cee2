"""What models are fitted on and asked about, before anything is computed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from denobench import config
from denobench.engine.planning.fits import find_sources, fits
from denobench.engine.planning.plan import Plan, make_plan


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A plan on 24 images of two labels, and exact copies of four of them."""
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    for label in ("yes", "no"):
        (folder / label).mkdir()
        for number in range(12):
            pixels = np.kron(rng.integers(20, 250, (8, 8)), np.ones((8, 8)))
            for name in (f"{number}.png", f"copy of {number}.png")[: 1 + (number < 2)]:
                Image.fromarray(pixels.astype(np.uint8)).save(folder / label / name)
    return make_plan(
        config.load(
            "quick",
            {"data": str(folder), "size": 64, "split": "folds", "limit": None, "gallery": 0,
             "noise": ["gaussian:0.1", "gaussian:0.2"], "tasks": ["tumour-classification"],
             "methods": ["identity", "gaussian-filter"], "metrics": ["psnr"]},
        )
    )  # fmt: skip


def test_copies_are_rows_of_their_own(plan: Plan) -> None:
    """Every image has a row per model, regime, level and method, with a key of its own."""
    sources = find_sources(plan, plan.cells({}))
    rows = pd.concat([fit.rows() for fit in fits(plan, sources)])
    assert rows["key"].is_unique
    counts = rows.groupby(["model", "regime", "level", "method"])["image"]
    assert (counts.nunique() == 28).all()
    assert (counts.size() == 28).all()


def test_near_duplicates_are_on_one_side_unless_chance_deals_them(plan: Plan) -> None:
    """No cluster is on both sides, but in the folds that show what such a split claims."""
    mixed = 0
    for fit in fits(plan, find_sources(plan, plan.cells({}))):
        assert {item.id for item in (*fit.inside, *fit.outside)} == {i.id for i in plan.test}
        both = {item.cluster for item in fit.inside} & {item.cluster for item in fit.outside}
        if {question.regime for question in fit.questions} == {"random"}:
            mixed += len(both)
        else:
            assert not both
    assert mixed


def test_method_without_all_answers_takes_no_part(plan: Plan) -> None:
    """One missing answer leaves the method out at its level, and at no other."""
    cells = [cell for cell in plan.cells({}) if cell.method == "gaussian-filter"]
    lost = next(cell for cell in cells if cell.noise.level == 0.1)
    found = find_sources(plan, [cell for cell in plan.cells({}) if cell is not lost and
                                cell.key != lost.key])  # fmt: skip
    named = {(source.method, source.noise and source.noise.level) for source in found}
    assert named == {("clean", None), ("noisy", 0.1), ("noisy", 0.2), ("gaussian-filter", 0.2)}
