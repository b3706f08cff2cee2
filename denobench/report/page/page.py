"""The report as one self-contained page."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

import yaml
from jinja2 import Environment, PackageLoader
from PIL import Image

from denobench.manifest import DatasetRecord
from denobench.report.data.summary import Summary
from denobench.report.data.table import Table
from denobench.report.figures.style import Picture, Place
from denobench.report.page.scripts import plotly, script, source_of, stylesheet
from denobench.report.page.viewer import Content
from denobench.report.text import captions
from denobench.report.text.verdict import Line

# Nothing is loaded from anywhere, and no script runs but the page's own, which the policy names by
# their digests. Plotly writes styles as it draws.
POLICY = (
    "default-src 'none'; script-src {script}; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)


def render(
    summary: Summary,
    tables: Sequence[Table],
    pictures: Iterable[tuple[Picture, Path]],
    lines: Sequence[Line],
    texts: Sequence[str],
    viewed: Content,
) -> str:
    """Return the page's HTML, which loads nothing from anywhere.

    Parameters
    ----------
    summary
        The runs.
    tables
        All tables.
    pictures
        The figures, each with its PNG file, which is put into the page.
    lines
        What a reader should know first.
    texts
        Paragraphs for a paper.
    viewed
        What the viewer shows.
    """
    shown: dict[Place, list[dict[str, Any]]] = {place: [] for place in get_args(Place)}
    for picture, path in pictures:
        shown[picture.place].append(_embed(picture, path))
    apart = {table.name: table for table in tables if not table.noise}
    packed, source = plotly()
    return render_template(
        "page.html.j2",
        viewed,
        [source],
        plotly=packed,
        title=title(summary),
        subtitle=_subtitle(summary),
        lines={kind: [*found] for kind, found in groupby(lines, lambda line: line.kind)},
        noises=_by_noise(summary, tables, shown["noise"]),
        texts=texts,
        gallery=shown["gallery"],
        trials=shown["tuning"],
        curves=shown["training"],
        tuning=apart.get("tuning"),
        timing=apart.get("timing"),
        training=apart.get("training"),
        failures=apart.get("failures"),
        methods=_methods(summary),
        runs=[_certificate(summary, run) for run in summary.manifests],
    )


def _by_noise(
    summary: Summary, tables: Sequence[Table], figures: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the tables and figures of each noise model."""
    return [
        {
            "name": noise,
            "title": title,
            "tables": [table for table in tables if table.noise == noise],
            "figures": [each for each in figures if each["noise"] == noise],
        }
        for noise, title in summary.noises.items()
    ]


def render_template(name: str, shown: Content, libraries: Sequence[str] = (), **others: Any) -> str:
    """Return a page with the viewer, its style and its policy."""
    environment = Environment(loader=PackageLoader("denobench.report", "page"), autoescape=True)
    return environment.get_template(name).render(
        policy=POLICY.format(script=" ".join([source_of(script()), *libraries])),
        style=stylesheet(),
        script=script(),
        data=shown.json,
        pictures=shown.pictures,
        first=shown.first,
        notes=shown.notes,
        **others,
    )


def title(summary: Summary) -> str:
    """Return what a page on runs is called."""
    named = [manifest.name or run for run, manifest in summary.manifests.items()]
    return f"Denoising comparison: {captions.listing(map(str, named))}"


def _subtitle(summary: Summary) -> str:
    rows = summary.rows
    created = summary.manifest.created[:10]
    methods = captions.count(len(summary.entries), "method")
    images = captions.count(rows["image"].nunique(), "test image")
    dataset = f"data set {summary.manifest.dataset.name or 'unknown'}"
    cells = captions.count(len(rows), "cell")
    return f"{methods}, {images}, {cells}; {dataset}{f', {created}' if created else ''}"


def _embed(picture: Picture, path: Path) -> dict[str, Any]:
    """Return a figure for the template as a data URI: its PNG, or less exactly where it is photos.

    The viewer has the gallery's true pixels; as PNG they would be most of the file.
    """
    content, kind = path.read_bytes(), "png"
    with Image.open(path) as image:
        # Pixels on a screen: the file's are finer, for print and for dense screens.
        width = round(image.width * 0.75)
        if picture.place == "gallery":
            small = io.BytesIO()
            height = round(image.height * 0.75)
            image.convert("RGB").resize((width, height)).save(small, "webp", quality=70, method=2)
            content, kind = small.getvalue(), "webp"
    coded = base64.b64encode(content).decode()
    return {
        "name": picture.name,
        "title": picture.title,
        "caption": picture.caption,
        "noise": picture.noise,
        "source": f"data:image/{kind};base64,{coded}",
        "width": width,
    }


def _methods(summary: Summary) -> list[dict[str, str]]:
    """Return what the manifests tell of every method."""
    found = []
    for entry in summary.entries:
        told = entry.details
        parameters = dict(told.parameters)
        tuned = summary.trials.loc[summary.trials["entry"] == entry.id, "settings"]
        parameters |= dict.fromkeys(json.loads(tuned.iloc[0]), "tuned") if len(tuned) else {}
        remarks = [told.reference, told.notes, told.remark]
        found.append(
            {
                "label": entry.label,
                "track": entry.track,
                "parameters": ", ".join(f"{name} = {value}" for name, value in parameters.items()),
                "licence": told.licence,
                "remarks": " ".join(f"{text}".rstrip(".") + "." for text in remarks if text),
            }
        )
    return found


def _numbers(dataset: DatasetRecord, item: str, noun: str) -> str:
    """Say how many images a data set has, and for what."""
    counted = ((dataset.images, item), (dataset.clusters, noun))
    parts = (
        (dataset.train, "to train"), (dataset.validation, "to validate"),
        (dataset.folds, "folds"), (dataset.test, "to test"),
    )  # fmt: skip
    told = [captions.count(number, each) for number, each in counted if number is not None]
    return ", ".join(told + [f"{number} {text}" for number, text in parts if number])


def _certificate(summary: Summary, run: str) -> dict[str, Any]:
    """Return what is needed to repeat a run."""
    manifest = summary.manifests[run]
    dataset, hardware, git = manifest.dataset, manifest.hardware, manifest.git
    numbers = _numbers(dataset, captions.item(manifest), captions.noun_of(manifest))
    memory = f"{hardware.memory_gb:g} GB" if hardware.memory_gb else ""
    cores = captions.count(hardware.cores, "core") if hardware.cores else ""
    share = manifest.stages.core_share
    facts = {
        "Run": run,
        "Created": manifest.created,
        "Data set": "; ".join([dataset.name, numbers]).strip("; "),
        "Labels": ", ".join(f"{name}: {n}" for name, n in dataset.labels.items() if name),
        "Split": captions.split(manifest),
        "Unit": manifest.settings.unit,
        "Intensities": captions.intensities(summary.rows[summary.rows["run"] == run]),
        "Size": manifest.size,
        "Seed": manifest.seed,
        "Realisations": manifest.realisations,
        "Tuning": captions.tuning(manifest),
        "Scores": captions.scoring(manifest),
        "References": captions.references(manifest),
        "Tracks": captions.listing(sorted({entry.track for entry in summary.entries})),
        "Hardware": ", ".join(
            part for part in (hardware.cpu, cores, memory, hardware.platform) if part
        ),
        "Seconds": ", ".join(
            f"{name} {value:,.0f}" for name, value in manifest.stages.seconds.items()
        ),
        "Core time used": f"{share:.0%} while cells were computed" if share is not None else None,
        "Commit": f"{git.commit}{' with uncommitted changes' * git.dirty}" if git else None,
    }
    return {
        "name": run,
        "facts": [(name, value) for name, value in facts.items() if value not in (None, "")],
        "unreadable": dataset.unreadable,
        "said": dataset.notes,
        "versions": "\n".join(f"{n} {v}" for n, v in manifest.versions.items()),
        "config": yaml.safe_dump(dict(manifest.config), sort_keys=False, allow_unicode=True),
    }
