"""Tuning: on validation images alone, as much as the track may know, and never twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from skimage.metrics import mean_squared_error
from skimage.restoration import denoise_tv_chambolle

from denobench import images, noise
from denobench.config import parse
from denobench.engine.coordinator import Outcome
from denobench.engine.planning.plan import Plan, make_plan
from denobench.errors import DenobenchError
from denobench.noise import Noise
from denobench.rows import RunFolder

Compare = Callable[..., Outcome]

TUNED: Mapping[str, Any] = {
    "split": "paper",
    "limit": 2,
    "noise": ["gaussian:0.1", "gaussian:0.2"],
    "tuning": {"trials": 6, "images": 3},
}


def trials(folder: RunFolder) -> pd.DataFrame:
    return folder.table("tuning")


def used(folder: RunFolder, method: str) -> dict[float, set[str]]:
    """Return the parameters of a method's rows by level."""
    rows = folder.frame()
    rows = rows[rows["method"] == method]
    return {float(level): {*part["parameters"]} for level, part in rows.groupby("level")}


def plan_of(folder: RunFolder, image_folder: Path) -> Plan:
    return make_plan(parse({**folder.manifest().config, "data": image_folder}, "test"))


def test_the_true_sigma_is_tuned_per_level(compare: Compare, image_folder: Path) -> None:
    """TV's weight is the best of those tried at each level, by scores computed apart."""
    folder = compare(methods=["identity", "tv"], **TUNED).folder
    tried = trials(folder)
    plan = plan_of(folder, image_folder)
    items = {item.id: item for item in plan.splits[0].validation}
    for level, part in tried.groupby("level"):
        scores = {}
        for settings, cells in part.groupby("settings"):
            psnrs = []
            for image in cells["image"]:
                clean = items[image].read(32)
                fields = noise.draw_fields(
                    (1, 32, 32), seed=0, image=items[image].digest, realisation=0
                )
                noisy = noise.corrupt(clean, noise.REGISTRY.load("gaussian"), level, fields)
                weight = json.loads(settings)["weight"] * level
                answer = denoise_tv_chambolle(noisy, weight=weight)
                mask = images.foreground(clean) > 0
                answer = np.clip(answer, 0, 1)
                psnrs.append(-10 * np.log10(mean_squared_error(clean[mask], answer[mask])))
            scores[settings] = np.mean(psnrs)
        best = max(scores, key=lambda settings: scores[settings])
        (parameters,) = used(folder, "tv")[level]
        assert json.loads(parameters) | json.loads(best) == json.loads(parameters)
        assert len(scores) == 6


def test_only_validation_images_are_looked_at(compare: Compare, image_folder: Path) -> None:
    """No image that is tested or trained on is among the trials."""
    folder = compare(methods=["tv", "median"], **TUNED).folder
    (parts,) = plan_of(folder, image_folder).splits
    seen = {*trials(folder)["image"]}
    assert len(seen) == 3
    assert seen <= {item.id for item in parts.validation}
    assert not seen & {item.id for item in (*parts.test, *parts.train)}


def test_every_track_tunes_what_it_may_know(compare: Compare) -> None:
    """Oracle: per level. Estimated: one multiple of the estimate. Blind: one value."""
    methods = {"tv": {}, "nlm": {"track": "estimated"}, "median": {}, "identity": {}}
    folder = compare(methods=methods, **TUNED).folder
    tried = trials(folder)
    scopes = tried.groupby("method")["levels"].unique().map(sorted).to_dict()
    together = [(0.1, 0.2)]
    assert scopes == {"tv": [(0.1,), (0.2,)], "nlm": together, "median": together}
    names = {row["method"]: {*json.loads(row["settings"])} for _, row in tried.iterrows()}
    assert names == {"tv": {"weight"}, "nlm": {"sigma_factor"}, "median": {"size"}}
    assert len(set().union(*used(folder, "median").values())) == 1
    factors = folder.frame().query("method == 'nlm'")["sigma_factor"]
    assert factors.nunique() == 1
    counts = tried.groupby("method")["trial"].nunique().to_dict()
    assert counts.pop("median") <= 6  # between two odd numbers there may be none to try
    assert set(counts.values()) == {6}


def test_what_the_config_sets_is_not_tuned(compare: Compare) -> None:
    """A parameter that a config gives is the user's; the others are tuned."""
    methods = {"tv": {"weight": 0.3}, "bilateral": {"colour": 9.0}}
    folder = compare(methods=methods, **TUNED).folder
    tried = trials(folder)
    assert {*tried["method"]} == {"bilateral"}
    assert all({*json.loads(text)} == {"space"} for text in tried["settings"])
    assert {json.loads(text)["weight"] for text in used(folder, "tv")[0.1]} == {0.3}
    assert {json.loads(text)["colour"] for text in used(folder, "bilateral")[0.1]} == {9.0}


def test_nothing_is_tuned_twice(compare: Compare) -> None:
    """A second time nothing is computed; more trials go on from those that were done."""
    outcome = compare(methods=["tv"], **TUNED)
    keys = outcome.folder.store.statuses().keys()
    again = compare(methods=["tv"], **TUNED)
    assert again.computed == 0
    assert again.folder.store.statuses().keys() == keys
    before = trials(again.folder)
    more = compare(methods=["tv"], **{**TUNED, "tuning": {"trials": 8, "images": 3}})
    added = more.folder.store.statuses().keys() - keys
    assert {*before["key"]} < {*trials(more.folder)["key"]}
    assert len({*trials(more.folder)["key"]} & added) == 2 * 2 * 3


def test_a_setting_that_fails_is_a_trial_without_a_score(compare: Compare, tmp_path: Path) -> None:
    """It is not chosen, the trials say why, and the comparison goes on."""
    plugin = tmp_path / "picky.py"
    plugin.write_text(
        "from denobench import denoiser\n\n@denoiser('picky', grid={'size': (1, 2, 3)})\n"
        "def picky(noisy, sigma, *, size=1):\n    if size > 1:\n"
        "        raise ValueError('too large')\n    return noisy.copy()\n"
    )
    folder = compare(methods=["picky"], plugins=[plugin], **TUNED).folder
    tried = trials(folder)
    assert {*tried.loc[tried["status"] == "failed", "error"]} == {"ValueError: too large"}
    assert {*folder.frame()["status"]} == {"ok"}
    assert {json.loads(text)["size"] for text in used(folder, "picky")[0.1]} == {1}


def test_folds_test_each_image_once_with_what_the_others_chose(
    compare: Compare, image_folder: Path
) -> None:
    """Every image is tested, with settings tuned on images of other clusters."""
    settings = {**TUNED, "split": "folds", "limit": None, "noise": ["gaussian:0.1"]}
    folder = compare(methods=["tv"], **settings).folder
    plan = plan_of(folder, image_folder)
    rows, tried = folder.frame(), trials(folder)
    assert rows["image"].nunique() == len(rows) == len(plan.dataset.items)
    clusters = {item.id: item.cluster for item in plan.dataset.items}
    for image, fold in plan.folds.items():
        part = tried[tried["fold"] == fold]
        assert clusters[image] not in {*part["cluster"]}
        scores = part.groupby("settings", sort=False)["psnr_foreground"].mean()
        (parameters,) = rows.loc[rows["image"] == image, "parameters"]
        assert json.loads(str(scores.idxmax())).items() <= json.loads(parameters).items()
    assert plan.folds.keys() == clusters.keys()
    assert Noise("gaussian", 0.1) in plan.config.noises


def test_tuning_needs_validation_images(compare: Compare) -> None:
    """Without any left the message says which split leaves some."""
    with pytest.raises(DenobenchError, match=r"split: none leaves no validation .*split: cluster"):
        compare(methods=["tv"], **{**TUNED, "split": "none"})


def test_networks_have_no_folds(compare: Compare) -> None:
    """What is trained cannot be tested on everything."""
    with pytest.raises(DenobenchError, match=r"cdae.*split: folds is not for"):
        compare(methods=["cdae"], **{**TUNED, "split": "folds"})
