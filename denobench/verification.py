"""Check a finished run: its tables against its rows, and its rows against images and methods."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from denobench import config as configs
from denobench import models, records, trials
from denobench.engine.manifest import versions
from denobench.engine.planning.cell import Cell
from denobench.engine.planning.plan import Plan, make_plan
from denobench.engine.stages.refits import disagreements
from denobench.engine.stages.tuning import chosen
from denobench.engine.workers import cells as engine_cells
from denobench.errors import DenobenchError
from denobench.files import damaged, digest
from denobench.manifest import Manifest
from denobench.noise import Noise, written
from denobench.progress import Progress
from denobench.report import texts
from denobench.report.tables.csv import to_csv
from denobench.rows import RunFolder
from denobench.scorenames import metric_of

# What two machines may differ by, in dB and as a fraction of the other scores.
CLASSICAL, NETWORK = (1e-4, 1e-5), (1e-2, 1e-3)

_ROWS_A_FIT = 20  # of tasks' models: one is fitted again for so many rows

_WHICH = ["method", "noise", "level", "image", "realisation"]
_DIGESTS = ("image_digest", "field_digest")


@dataclass(frozen=True)
class Verification:
    """What was checked, and what was found wrong.

    Attributes
    ----------
    files, rows
        How many tables and other texts were made again, and rows computed again.
    problems
        One sentence per difference, naming the file or row; empty if the run is right.
    versions
        Per library, the version of the run and the one here, where they differ.
    """

    files: int
    rows: int
    problems: tuple[str, ...]
    versions: dict[str, tuple[str, str]]


def verify(
    folder: RunFolder,
    *,
    sample: int,
    data: Path | None = None,
    plugins: Sequence[Path] = (),
    trust: bool = False,
    progress: Progress,
) -> Verification:
    """Make every table again from the rows, and compute a sample of the rows again.

    The folder is data: what it names as plugins is not imported unless it is trusted.

    Parameters
    ----------
    folder
        The run.
    sample
        How many completed rows to compute again, drawn at random by the run's seed, and half as
        many of those that it was tuned on; 0 for none.
    data
        Folder of the images, where the run's data set needs one.
    plugins
        Files to import in place of those that the run's config names.
    trust
        Import those, too.
    progress
        Told how many rows are done.

    Raises
    ------
    DenobenchError
        If the run has no rows, its images or methods are not here, or it names plugins and is not
        trusted.
    """
    expected = texts([folder])
    problems = [*_rows_agree(folder)]
    for name, text in expected.items():
        problems += _compare_texts(name, text, _read(folder.path / name, text))
    strangers = {path.name for path in (folder.path / "tables").glob("*.*")}
    for name in sorted(strangers - {Path(name).name for name in expected}):
        problems.append(f"tables/{name} does not follow from the rows.")
    if not sample:
        return Verification(len(expected), 0, tuple(problems), {})
    manifest = folder.manifest()
    if not manifest.config:
        raise DenobenchError(
            f"{folder.path}/manifest.json holds no config, by which rows could be computed again; "
            "--sample 0 checks the tables alone."
        )
    if data is None and manifest.config.get("dataset") == "simulated" != manifest.dataset.name:
        raise DenobenchError(
            f"{folder.path} is a run on images of yours, {manifest.dataset.name!r}, which it does "
            "not keep: give their folder with --data; --sample 0 checks the tables alone."
        )
    settings = _settings(manifest, data, _imported(folder, manifest, plugins, trust))
    plan = make_plan(configs.parse(settings, f"{folder.path}/manifest.json"))
    with plan.plugins:
        steps, differences = _compute_again(plan, folder, manifest, sample, progress)
        here, then = versions(plan.methods), manifest.versions
    differing = {n: (then[n], here[n]) for n in here if n in then and then[n] != here[n]}
    return Verification(len(expected), steps, (*problems, *differences), differing)


def _imported(
    folder: RunFolder, manifest: Manifest, plugins: Sequence[Path], trust: bool
) -> list[Path]:
    """Return the plugins that may be imported: the user's, and the folder's if it is trusted."""
    named = manifest.settings.plugins
    if named and not plugins and not trust:
        raise DenobenchError(
            f"{folder.path} was made with {', '.join(named)}, and no code is run because a run's "
            "folder names it. Give your own copy with --plugin, or --trust after reading what the "
            "folder names; --sample 0 checks the tables alone."
        )
    return [*plugins, *(map(Path, named) if trust else ())]


def _settings(manifest: Manifest, data: Path | None, plugins: Sequence[Path]) -> dict[str, Any]:
    """Return the config that the rows are computed again with: here, whatever it says of places."""
    settings = {**manifest.config, "executor": "local", "address": None}
    settings["plugins"] = [str(path) for path in plugins]
    settings["data"] = str(data) if data else None
    return settings


def _compute_again(
    plan: Plan, folder: RunFolder, manifest: Manifest, sample: int, progress: Progress
) -> tuple[int, list[str]]:
    """Compute a sample of the rows again; return how many, and how they differ."""
    problems: list[str] = []
    drawn = _draw(folder.frame(), sample, plan.config.seed)
    cells = _cells(plan, folder)
    tried = _draw(folder.table("tuning"), sample // 2, plan.config.seed)
    steps = len(drawn) + len(tried)
    for done, row in enumerate(drawn):
        progress(done, steps, f"{row['method']} on {row['image']}")
        problems += _check_row(row, cells, manifest)
    for done, row in enumerate(tried, len(drawn)):
        progress(done, steps, f"{row['method']} on {row['image']}, tuning")
        problems += _check_trial(row, plan)
    if plan.tasks:
        completed = {tuple(row[name] for name in _WHICH) for row in _completed(folder)}
        own = [cell for which, cell in cells.items() if which in completed]
        again = 1 + sample // _ROWS_A_FIT
        problems += disagreements(plan, own, folder.table("tasks"), again, progress)
        steps += again
    progress(steps, steps, "")
    return steps, problems


def _completed(folder: RunFolder) -> list[dict[str, Any]]:
    """Return the rows that have scores."""
    frame = folder.frame()
    return frame.loc[frame["status"] == "ok", _WHICH].to_dict("records")  # type: ignore[return-value]


def _rows_agree(folder: RunFolder) -> Iterator[str]:
    """Compare the exported rows with the store, or with each other where there is no store."""
    frame = folder.frame().drop(columns="run")  # the folder's name, which may change
    for name in ("rows.csv", "rows.parquet"):
        path = folder.path / name
        if path.is_file() and name.endswith("csv"):
            text = to_csv(frame)
            one, two = (_as_csv(path, each, frame) for each in (text, _read(path, text) or ""))
            yield from _compare_frames(name, one, two)
        elif path.is_file():
            yield from _compare_frames(name, frame, records.read_rows(path))
    tried = folder.table("tuning")
    if not tried.empty and (folder.path / "rows.sqlite").is_file():
        scores = {row.key: row.metrics.get(trials.SCORE, math.nan) for row in folder.store.rows()}
        for _, row in tried.iterrows():
            stored, found = scores.get(row["key"], math.nan), row[trials.SCORE]
            if not np.isclose(found, stored, 1e-12, 0, equal_nan=True):
                yield f"{_trial(row)}: PSNR is {found}, {stored} in the run's store."


def _read(path: Path, expected: str) -> str | None:
    """Return a file's text, no more of it than tells it from the expected one."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return file.read(4 * len(expected) + 1000).decode("utf-8", errors="replace")


def _as_csv(path: Path, text: str, like: pd.DataFrame) -> pd.DataFrame:
    """Return what a CSV text holds; numbers where ``like`` has them, and else text."""
    try:
        frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    except ValueError as error:
        raise damaged(path, error) from None
    for name in frame:
        if name in like and pd.api.types.is_numeric_dtype(like[name]):
            frame[name] = pd.to_numeric(frame[name], errors="coerce")
    return frame


def _compare_frames(name: str, frame: pd.DataFrame, other: pd.DataFrame) -> Iterator[str]:
    if len(frame) != len(other) or {*frame} - {*other}:
        yield f"{name} has not the rows and columns of the run's store."
        return
    one, two = (table.sort_values("key", ignore_index=True) for table in (frame, other))
    for column in frame:
        if pd.api.types.is_numeric_dtype(one[column]):
            same = np.isclose(
                one[column].astype(float), two[column].astype(float), 1e-12, 0, equal_nan=True
            )
        else:
            same = np.asarray(_as_text(one[column]) == _as_text(two[column]))
        for place in np.flatnonzero(~same)[:1]:
            yield (
                f"{name}: {_name(two.loc[place])}: {column} is {two[column][place]}, "
                f"{one[column][place]} in the run's store."
            )


def _as_text(column: pd.Series) -> pd.Series:
    """Return a column as CSV has it: nothing where there is no value."""
    return column.astype(object).where(column.notna(), "").astype(str)


def _compare_texts(name: str, expected: str, found: str | None) -> Iterator[str]:
    """Say where a file first differs from what the rows give."""
    if found is None:
        yield f"{name} is missing."
    elif found != expected and not (name.endswith(".csv") and _equal_numbers(expected, found)):
        ours, theirs = expected.splitlines(), found.splitlines()
        length = min(len(ours), len(theirs))
        line = next((n for n in range(length) if ours[n] != theirs[n]), length)
        right = ours[line].strip() if line < len(ours) else "nothing"
        yield f"{name}, line {line + 1} does not follow from the rows, which give: {right[:160]}"


def _equal_numbers(expected: str, found: str) -> bool:
    """Whether two CSV texts differ in the last bits of numbers, and in the folder's name, only."""
    try:
        one, two = (
            pd.read_csv(io.StringIO(text)).drop(columns="run", errors="ignore")
            for text in (expected, found)
        )
        pd.testing.assert_frame_equal(one, two, rtol=1e-12, atol=0)
    except (AssertionError, ValueError):
        return False
    return True


def _draw(frame: pd.DataFrame, sample: int, seed: int) -> list[dict[str, Any]]:
    """Draw completed rows, as evenly over the methods as can be."""
    if frame.empty:
        return []
    done = frame[frame["status"] == "ok"].sample(frac=1, random_state=seed % 2**32)
    turn = done.groupby("method").cumcount()
    chosen = done.loc[turn.sort_values(kind="stable").index[:sample]]
    return [{str(name): value for name, value in row.items()} for _, row in chosen.iterrows()]


def _cells(plan: Plan, folder: RunFolder) -> dict[tuple[Any, ...], Cell]:
    """Return the plan's cells, by what a row names; with the weights that the rows name."""
    files = {digest(path): path for path in _copies(folder)}
    for model in models.models():
        with suppress(DenobenchError):  # of a damaged one that may have nothing to do with it
            files.setdefault(model.digest, model.weights)
    frame = folder.frame()
    fitted = frame[frame["weights_digest"].fillna("") != ""]
    weights = {
        (row["method"], Noise(row["noise"], row["level"])): (files[used], used)
        for _, row in fitted.drop_duplicates(["method", "noise", "level"]).iterrows()
        if (used := row["weights_digest"]) in files
    }
    tried = folder.table("tuning")
    return {
        (c.method, c.noise.model, c.noise.level, c.item.id, c.realisation): c
        for c in plan.cells(weights, {} if tried.empty else chosen(tried))
    }


def _copies(folder: RunFolder) -> list[Path]:
    """Return the copies of weights in a run's folder."""
    return [path for path in sorted(folder.path.glob("models/*")) if path.is_file()]


def _check_row(
    row: dict[str, Any], cells: dict[tuple[Any, ...], Cell], manifest: Manifest
) -> Iterator[str]:
    """Compute a row again and compare digests and scores."""
    cell = cells.get(tuple(row[name] for name in _WHICH))
    if cell is None:
        yield f"{_name(row)}: is not in the plan of the manifest's config, or its weights are gone."
        return
    settings = {"parameters": cell.parameters, "sigma_factor": cell.sigma_factor}
    for name, value in settings.items():
        if row[name] != value:
            yield f"{_name(row)}: {name} is {row[name]}, and {value} by config and tuning."
            return
    again = engine_cells.compute(cell).row
    for name in _DIGESTS:
        if getattr(again, name) != row[name]:
            what = name.removesuffix("_digest")
            yield f"{_name(row)}: the {what} is another one: the image, seed or split was changed."
            return
    if again.status != "ok":
        yield f"{_name(row)}: {again.status} here: {again.error}"
    decibel, other = NETWORK if cell.weights else CLASSICAL
    for name, value in again.metrics.items():
        told = manifest.metrics.get(metric_of(name))
        tolerance = decibel if told and told.unit == "dB" else other
        recorded = float(row.get(name, math.nan))
        if not (value == recorded or math.isclose(value, recorded, abs_tol=tolerance, rel_tol=0)):
            yield f"{_name(row)}: {name} is {value:.6g} here, {recorded:.6g} in the run."


def _check_trial(row: dict[str, Any], plan: Plan) -> Iterator[str]:
    """Compute a row of tuning again and compare its score."""
    for tuning in plan.tunings():
        if tuning.method.name != row["method"] or tuning.fold != row["fold"]:
            continue
        for cell in plan.trial(tuning, json.loads(row["settings"])):
            which = (cell.noise.model, cell.noise.level, cell.item.id)
            if which == (row["noise"], row["level"], row["image"]):
                again = engine_cells.compute(cell).row.metrics.get(trials.SCORE, math.nan)
                if not math.isclose(again, row[trials.SCORE], abs_tol=CLASSICAL[0], rel_tol=0):
                    yield (
                        f"{_trial(row)}: PSNR is {again:.6g} here, {row[trials.SCORE]:.6g} in the "
                        "run."
                    )
                return
    yield f"{_trial(row)}: is not what the manifest's config tunes on."


def _trial(row: Any) -> str:
    where = f"{row['method']}, {row['noise']}:{written(row['level'])}, {row['image']}"
    return f"tuning.csv: {where}, {row['settings']}"


def _name(row: Any) -> str:
    where = f"{row['noise']}:{written(row['level'])}, {row['image']}"
    return f"{row['method']}, {where}, realisation {row['realisation']}"
