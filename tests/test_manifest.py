"""The manifest: what is known has its type, what is wrong is named, what is written comes back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from denobench.errors import DenobenchError
from denobench.files import read_json
from denobench.manifest import Manifest, MethodRecord, TrainingRecord, parse

RESULTS = sorted((Path(__file__).parents[1] / "results").glob("*/manifest.json"))


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.parent.name)
def test_committed_manifests_come_back_whole(path: Path) -> None:
    """Of the committed runs nothing is lost: parsed and written again, they say the same."""

    def holds(written: object, told: object) -> bool:
        if not isinstance(told, dict):
            return written == told
        return isinstance(written, dict) and all(
            holds(written[name], value) for name, value in told.items() if value is not None
        )

    told = read_json(path)
    assert holds(json.loads(json.dumps(parse(told, path.name).record())), told)


def test_what_is_left_out_or_null_is_not_known() -> None:
    """An empty manifest, or one that holds null throughout, is one that says nothing."""
    nothing = dict.fromkeys(Manifest.model_fields)
    assert parse({}, "here") == parse(nothing, "here") == Manifest()
    assert parse({"methods": {"tv": {"title": None}}}, "here").methods["tv"] == MethodRecord()


def test_images_of_a_training_may_be_one_number() -> None:
    """A training that counts its images without validation says so with one number."""
    told = {"methods": {"m": {"training": {"images": 10, "epochs": 3}}}}
    assert parse(told, "here").methods["m"].training == TrainingRecord(images=(10,), epochs=3)


@pytest.mark.parametrize(
    ("told", "key"),
    [
        ([], "all of it"),
        ("text", "all of it"),
        ({"methods": ["tv"]}, "methods"),
        ({"methods": {"tv": {"title": 3}}}, "methods.tv.title"),
        ({"gallery": [{"image": "a.png", "noise": "gaussian"}]}, "gallery.0.level"),
        ({"config": {"tuning": {"trials": "many"}}}, "config.tuning.trials"),
        ({"stages": {"cells_s": "long"}}, "stages.cells_s"),
        ({"seed": float("nan")}, "seed"),
        ({"versions": {"numpy": 2}}, "versions.numpy"),
        ({"dataset": {"labels": ["yes"]}}, "dataset.labels"),
    ],
)
def test_a_value_of_another_type_is_named(told: object, key: str) -> None:
    """The error names the file, the key and what was found."""
    with pytest.raises(DenobenchError, match=f"r/manifest.json: {key}: .*found"):
        parse(told, "r/manifest.json")


def test_nothing_alters_it() -> None:
    """It is frozen; another one is made with other values, and the first stays."""
    manifest = Manifest(name="a")
    with pytest.raises(ValidationError):
        manifest.name = "b"  # type: ignore[misc]
    assert (manifest.but(name="b").name, manifest.name) == ("b", "a")
    assert manifest.took(cells_s=2.0).stages.seconds == {"cells": 2.0}


def test_names_that_are_not_utf8_come_back(tmp_path: Path) -> None:
    """A path with bytes that are no UTF-8 survives writing and reading."""
    told = {"gallery": [{"image": "S\udce3o.png", "noise": "gaussian", "level": 0.1}]}
    (tmp_path / "manifest.json").write_text(json.dumps(parse(told, "here").record()))
    again = parse(read_json(tmp_path / "manifest.json"), "here")
    assert again.gallery[0].image == "S\udce3o.png"
