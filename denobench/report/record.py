"""What a report consists of and was made of; one that would come out the same is found again."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from denobench.errors import DenobenchError
from denobench.files import digest, digest_of, read_json, remove_below, write_text
from denobench.report.data.table import Column, Field, Section, Table
from denobench.rows import RunFolder

if TYPE_CHECKING:
    from rich.console import Group

FILE = "report.json"

_PACKAGE = Path(__file__).parents[1]
_LIBRARIES = ("jinja2", "matplotlib", "numpy", "pandas", "scikit-posthocs", "scipy", "seaborn")
_TABLES = ("timing.csv", "training.csv", "tuning.csv", "tasks.csv", "plan.json", "rows.sqlite")


@dataclass(frozen=True)
class Report:
    """What a report consists of.

    Attributes
    ----------
    folder
        Where it lies.
    paths
        The files that were written.
    summary
        The comparison in sentences: who leads each track, warnings, failures.
    failures
        Number of cells that failed, timed out or crashed; skipped ones are in the summary.
    main_tables
        The main table of every noise model.
    """

    folder: Path
    paths: tuple[Path, ...]
    summary: tuple[str, ...]
    failures: int
    main_tables: tuple[Table, ...]

    @property
    def page(self) -> Path:
        """The page, the report's front."""
        return self.folder / "report.html"

    @property
    def table(self) -> Group:
        """The main tables, to be printed with rich."""
        from denobench.report.tables.console import on_console

        return on_console(self.main_tables)


def keep(report: Report, run: RunFolder | None) -> None:
    """Write down what a report's files are; of a run's own, what it was made of and what it says.

    Tables and figures that an earlier report has left there, and this one does not have, are
    removed: a picture that may not be passed on any more, say. What somebody has changed stays.
    """
    folder = report.folder
    files = {path.relative_to(folder).as_posix(): digest(path) for path in report.paths}
    for path in _outdated(folder, files):
        remove_below(folder, path)
    record: dict[str, Any] = {"files": files}
    if run is not None:
        record |= {
            "made_of": _made_of(run),
            "summary": report.summary,
            "failures": report.failures,
            # All but the tidy data, which lies in the table's own file.
            "main_tables": [
                {**asdict(replace(table, tidy=pd.DataFrame())), "tidy": None}
                for table in report.main_tables
            ],
        }
    write_text(folder / FILE, json.dumps(record))


def _outdated(folder: Path, files: Collection[str]) -> Iterator[Path]:
    """Yield an earlier report's tables and figures, as it wrote them, that are not among files."""
    try:
        earlier = dict(read_json(folder / FILE)["files"])
    except (OSError, ValueError, KeyError, TypeError, DenobenchError):
        return
    for name, found in earlier.items():
        place, _, own = str(name).partition("/")
        path = folder / place / own
        if place in ("tables", "figures") and own == path.name and name not in files:
            with suppress(OSError):
                if digest(path) == found:
                    yield path


def find(folder: RunFolder) -> Report | None:
    """Return a run's report as it lies there, or None if any part of it is out of date.

    Out of date is a report after any change of rows, tables, pictures, denobench's own code or the
    libraries that compute and draw; or if one of its files was changed.
    """
    try:
        record = read_json(folder.path / FILE)
        files = {folder.path / name: found for name, found in record["files"].items()}
        if record["made_of"] != _made_of(folder):
            return None
        if any(digest(path) != found for path, found in files.items()):
            return None
        return Report(
            folder=folder.path,
            paths=tuple(files),
            summary=tuple(record["summary"]),
            failures=record["failures"],
            main_tables=tuple(map(_table, record["main_tables"])),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, DenobenchError):
        return None


def _made_of(folder: RunFolder) -> str:
    """Return the digest of all that a run's report depends on."""
    # Without the moments of the last look at the run; denobench's code counts itself.
    about = folder.manifest().but(created="", git=None).record()
    libraries = {name: version(name) for name in _LIBRARIES}
    parts = [folder.name, about, libraries, *_contents(folder)]
    return digest_of(parts)


def _contents(folder: RunFolder) -> Iterator[tuple[str, str]]:
    data = [folder.path / name for name in _TABLES]
    yield from _digests(folder.path, [*data, *(folder.path / "gallery").rglob("*.npy")])
    own = (path for kind in ("py", "j2", "css", "js") for path in _PACKAGE.rglob(f"*.{kind}"))
    yield from _digests(_PACKAGE, own)


def _digests(root: Path, paths: Iterable[Path]) -> Iterator[tuple[str, str]]:
    for path in sorted(paths):
        if path.is_file():
            yield path.relative_to(root).as_posix(), digest(path)


def _table(found: Mapping[str, Any]) -> Table:
    sections = [
        Section(part["title"], tuple(tuple(Field(**cell) for cell in row) for row in part["rows"]))
        for part in found["sections"]
    ]
    return Table(
        name=found["name"],
        title=found["title"],
        caption=found["caption"],
        columns=tuple(Column(**column) for column in found["columns"]),
        sections=tuple(sections),
        notes=tuple(found["notes"]),
        noise=found["noise"],
    )
