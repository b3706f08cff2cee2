"""Rows into tables, figures and a page."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from denobench.errors import DenobenchError
from denobench.files import subfolder, write_bytes, write_text
from denobench.progress import Progress, unheard
from denobench.report.record import Report
from denobench.rows import RunFolder

if TYPE_CHECKING:
    from rich.console import Group

    from denobench.report.data.summary import Summary
    from denobench.report.data.table import Table
    from denobench.report.figures.style import Picture

__all__ = ["Report", "console_table", "texts", "unchanged", "write"]

# Tables of some hundred rows: texts that lie in Arrow's arrays take longer to pick than to hold.
_TEXTS = ("mode.string_storage", "python")


@pd.option_context(*_TEXTS)
def write(
    folders: Sequence[RunFolder],
    out: Path | None = None,
    *,
    progress: Progress = unheard,
) -> Report:
    """Write the report of one or more runs: rows, tables, figures, text and ``report.html``.

    Parameters
    ----------
    folders
        The runs; several are shown together, told apart where a method occurs in more than one.
    out
        Folder to write to; the run's own if left out, which needs a single run.
    progress
        Told what is being made, as steps done of all.

    Raises
    ------
    DenobenchError
        If several runs come without a folder, a run has no rows, the runs did not score the same
        noisy images, or the folder cannot be written.
    """
    # Imported here: a program that only lists or denoises never waits for matplotlib.
    from denobench.report import record
    from denobench.report.data.summary import summarise

    if out is None and len(folders) > 1:
        raise DenobenchError("A report on several runs needs a folder of its own to be written to.")
    progress(0, 4, "intervals")
    summary = summarise(folders)
    folder = out or folders[0].path
    try:
        report = _write(summary, folder, progress)
        own = [found.path for found in folders] == [folder]
        record.keep(report, folders[0] if own else None)
        return report
    except OSError as error:
        raise DenobenchError(
            f"{folder}: the report cannot be written ({error.strerror or error})."
        ) from error


def unchanged(folder: RunFolder) -> Report | None:
    """Return a run's report as it lies there, or None if writing it again could change it."""
    from denobench.report import record

    return record.find(folder)


@pd.option_context(*_TEXTS)
def texts(folders: Sequence[RunFolder]) -> dict[str, str]:
    """Return the texts of a report, by their path in its folder, without writing any."""
    from denobench.report.data.summary import summarise
    from denobench.report.tables.scores import make_tables

    summary = summarise(folders)
    return _texts(summary, make_tables(summary))


def _texts(summary: Summary, tables: Iterable[Table]) -> dict[str, str]:
    """Every table as CSV (tidy), Markdown and LaTeX, and the paragraph for a paper."""
    from denobench.report.tables.csv import to_csv
    from denobench.report.tables.latex import to_latex
    from denobench.report.tables.markdown import markdown_escape, to_markdown
    from denobench.report.text.prose import paragraphs

    found = {}
    for table in tables:
        found[f"tables/{table.name}.csv"] = to_csv(table.tidy)
        found[f"tables/{table.name}.md"] = to_markdown(table)
        found[f"tables/{table.name}.tex"] = to_latex(table)
    return found | {"text.md": "\n\n".join(map(markdown_escape, paragraphs(summary))) + "\n"}


def _figures() -> list[Callable[[Summary], Iterator[Picture]]]:
    """Return what draws, in the page's order."""
    from denobench.report.figures.cost import draw_cost
    from denobench.report.figures.curves import draw
    from denobench.report.figures.gallery import draw_gallery
    from denobench.report.figures.ranks import draw_ranks
    from denobench.report.figures.sensitivity import draw_sensitivity
    from denobench.report.figures.tasks import draw_tasks
    from denobench.report.figures.training import draw_training
    from denobench.report.figures.tuning import draw_tuning

    return [
        *(draw, draw_ranks, draw_tasks, draw_sensitivity),
        *(draw_cost, draw_training, draw_tuning, draw_gallery),
    ]


def _write(summary: Summary, folder: Path, progress: Progress) -> Report:
    from denobench.report.figures.files import saving
    from denobench.report.figures.style import remark
    from denobench.report.page.page import render
    from denobench.report.page.viewer import content
    from denobench.report.tables.scores import main_tables, make_tables
    from denobench.report.text.prose import paragraphs
    from denobench.report.text.verdict import WARNING, Line, judge

    for name in ("tables", "figures"):
        subfolder(folder, name)
    progress(1, 4, "tables")
    drawn = [picture for draws in _figures() for picture in draws(summary)]
    with saving(drawn, folder / "figures") as finish:
        tables = make_tables(summary)
        paths = [*_export(summary, folder)]
        for name, text in _texts(summary, tables).items():
            write_text(folder / name, text)
            paths.append(folder / name)
        lines = judge(summary)
        if text := remark(summary):
            lines.append(Line(WARNING, text))
        progress(2, 4, "page")
        shown = content(summary)
        progress(3, 4, "figures")
        pairs = finish()
    pictures = [(picture, pair[0]) for picture, pair in zip(drawn, pairs, strict=True)]
    paths += [path for pair in pairs for path in pair]
    html = render(summary, tables, pictures, lines, paragraphs(summary), shown)
    write_text(folder / "report.html", html)
    progress(4, 4, "report")
    return Report(
        folder=folder,
        paths=(*paths, folder / "report.html"),
        summary=tuple(line.text for line in lines),
        failures=int((~summary.rows["status"].isin(["ok", "skipped"])).sum()),
        main_tables=tuple(main_tables(summary)),
    )


@pd.option_context(*_TEXTS)
def console_table(folders: Sequence[RunFolder]) -> Group:
    """Return the main tables and the comparison in sentences, to be printed with rich."""
    from rich.console import Group
    from rich.text import Text

    from denobench.report.data.summary import summarise
    from denobench.report.tables.console import on_console
    from denobench.report.tables.scores import main_tables
    from denobench.report.text.verdict import FAILURE, VERDICT, WARNING, judge

    summary = summarise(folders, intervals=False)
    styles = {VERDICT: "", WARNING: "yellow", FAILURE: "red"}
    return Group(
        on_console(main_tables(summary)),
        *(Text(line.text, styles[line.kind]) for line in judge(summary)),
    )


def _export(summary: Summary, folder: Path) -> list[Path]:
    """Write all rows as Parquet and CSV."""
    from denobench.report.tables.csv import to_csv

    rows = summary.rows.drop(columns="entry")
    paths = [folder / "rows.parquet", folder / "rows.csv"]
    content = io.BytesIO()  # of what is wrong with a file, Arrow tells in a way of its own
    rows.to_parquet(content, index=False)
    write_bytes(paths[0], content.getvalue())
    write_text(paths[1], to_csv(rows))
    return paths
