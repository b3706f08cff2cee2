"""What stands under tables and figures, made from the manifests."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import pandas as pd

from denobench.manifest import Manifest
from denobench.noise import MEASURED, written
from denobench.report.data.entries import Score
from denobench.report.data.scores import COMPARED_FROM
from denobench.report.data.summary import Summary
from denobench.report.data.table import ALIKE, APART, BELOW, DIFFERENT
from denobench.scorenames import metric_of
from denobench.statistics import smallest_p

FEW_CLUSTERS = 10


def listing(parts: Iterable[str]) -> str:
    """Join words as a sentence does."""
    *first, last = [*parts] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def count(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 image``, ``2 images``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def p_text(p: float) -> str:
    """Return a p value as papers print it."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def unit(metric: Score) -> str:
    """Return a metric's unit as it stands behind a number."""
    return f" {metric.unit}" if metric.unit else ""


def levels(some: Collection[float], every: pd.Series) -> str:
    """Name levels: ``at σ = 0.05 and 0.1``, or ``at every level``."""
    if every.nunique() > 1 and len({*some}) == every.nunique():
        return "at every level"
    return f"at σ = {listing(written(level) for level in sorted({*some}))}"


def level_list(levels: Any) -> str:
    """Return a tuple of levels side by side: ``0.05, 0.1``."""
    return ", ".join(written(level) for level in levels)


def margin(ranked: pd.DataFrame, metric: Score) -> str:
    """Return how far the best of a track is ahead of the next printed value, over the levels."""
    gaps = []
    for _, group in ranked.groupby("level"):
        first = group.loc[group["rank"] == 1, "mean"]
        others = group.loc[group["rank"] != 1, "mean"]
        if len(first) and len(others):
            nearest = others.max() if metric.higher_is_better else others.min()
            gaps.append(abs(first.iloc[0] - nearest))
    texts = dict.fromkeys(metric.text(gap) for gap in (min(gaps), max(gaps))) if gaps else {}
    return " to ".join(texts) + unit(metric) * bool(texts)


def powerless(pairs: pd.DataFrame, noun: str) -> str:
    """Say that a table's tests cannot show a difference, and what would be the least p of all."""
    most = int(pairs["clusters"].max())
    least = smallest_p(most, len(pairs))
    return (
        f"No difference can be shown at 5 %: with N = {_range(pairs['clusters'])} "
        f"{noun}{'s' * (most != 1)} and "
        f"{count(len(pairs), 'comparison')} the least p that Holm's adjustment can leave is "
        f"{min(least, 1):.3f}. The differences describe these images alone."
    )


def noun_of(manifest: Manifest) -> str:
    """Return what a cluster is called where it is known to be more than that."""
    return "subject" if manifest.dataset.cluster_of == "subjects" else "cluster"


def item(manifest: Manifest) -> str:
    """Return what a cell is computed on: an image, or a volume."""
    return "volume" if manifest.settings.unit == "volume" else "image"


def volumes(manifest: Manifest, metrics: Iterable[Score]) -> str:
    """Say how methods run on volumes and how these are scored; nothing where images are tested."""
    if item(manifest) == "image":
        return ""
    known = {metric.base: metric.plain for metric in metrics}
    over = [
        title
        for name, title in known.items()
        if (told := manifest.metrics.get(name)) and told.dims == 3
    ]
    others = [title for title in known.values() if title not in over]
    scored = [f"{listing(over)}: over all voxels"] * bool(over)
    scored += [f"{listing(others)}: mean of the slices"] * bool(others)
    return (
        "2-D methods run slice by slice, 3-D methods on the whole volume, on the same noise. "
        f"{'; '.join(scored)}."
    )


def images(summary: Summary, noise: str) -> str:
    """Say which noisy images the numbers come from."""
    manifest = summary.manifest
    cells = summary.rows[summary.rows["noise"] == noise]
    name, size = manifest.dataset.name or "Data set", manifest.size
    pixels = f"{size} × {size} pixels" if str(size).isdigit() else "native size"
    text = (
        f"{name}: {count(cells['image'].nunique(), f'test {item(manifest)}')} in "
        f"{count(cells['cluster'].nunique(), noun_of(manifest))}{f', {pixels}' if size else ''}, "
    )
    several = cells["realisation"].nunique()
    if noise == MEASURED:  # nothing is drawn
        return text + f"{count(several, 'noisy acquisition')} each"
    seed = f", seed {manifest.seed}" if manifest.seed is not None else ""
    return text + f"{count(several, 'noise realisation')} each{seed}"


def scoring(manifest: Manifest, names: Iterable[str] = ()) -> str:
    """Say how answers became scores, with the settings of the named metrics, or of all."""
    protocol, metrics = manifest.protocol, manifest.metrics
    sentences = ["Noise is added after resizing."] if protocol.interpolation else []
    if protocol.clip:
        low, high = protocol.clip
        sentences.append(f"Answers are clipped to [{low:g}, {high:g}] before scoring.")
    for name in dict.fromkeys(map(metric_of, names or metrics)):
        told = metrics.get(name)
        if told and told.settings:
            settings = ", ".join(f"{key} {value}" for key, value in told.settings.items())
            sentences.append(f"{told.title}: {settings}.")
    if protocol.foreground:
        sentences.append(f"Foreground: {protocol.foreground}.")
    return " ".join(sentences)


def intensities(rows: pd.DataFrame) -> str:
    """Say by which rule values of files became images, with the factors and what was clipped."""
    if "scale" not in rows:
        return ""
    told = rows[rows["scale"].fillna("") != ""].drop_duplicates("image")
    if told.empty:  # of simulated images, or an older run
        return ""
    parts = []
    for rule, found in told.groupby("scale", sort=False):
        known = found.reindex(columns=["scale_high", "clipped"])  # an older run knew less
        low, high, clipped = known["scale_high"].min(), known["scale_high"].max(), known["clipped"]
        full = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        share = f", at most {100 * clipped.max():.2g} % of values clipped"
        parts.append(
            f"scale {rule}"
            + f": full scale is {full}" * bool(pd.notna(high))
            + share * bool(clipped.notna().any())
        )
    return "; ".join(parts)


def references(manifest: Manifest) -> str:
    """Say how clean the references are."""
    found = manifest.dataset.residual_noise
    scored = manifest.metrics.values()
    if not found or (scored and not any(metric.reference for metric in scored)):
        return ""
    return (
        f"The references still have noise of {100 * found.median:.2f} % of full scale (median; "
        f"at most {100 * found.max:.2f} %), estimated on {count(found.images, 'test image')}."
    )


def split(manifest: Manifest) -> str:
    """Say how test images were chosen, where the manifest tells."""
    sentences = {
        "cluster": "Split by subject: nobody is in both the training and the test images."
        if noun_of(manifest) == "subject"
        else "Split by cluster: no slice is in both the training and the test images.",
        "paper": "Split at random, as in the paper: near-duplicates of test images may have been "
        "trained on.",
        "folds": "Five folds by cluster: every image is tested once, and no slice is in both the "
        "tested fold and the others.",
        "none": "No split: all images are test images.",
    }
    leaks = manifest.dataset.leaks
    leaked = f" {count(leaks, 'test image')} shared a slice with a training image." if leaks else ""
    return sentences.get(manifest.settings.split, "") + leaked


def tuning(manifest: Manifest) -> str:
    """Say how parameters were chosen."""
    trials = manifest.settings.tuning.trials
    if not trials:
        return "Methods run with their defaults or with what the config sets; nothing was tuned."
    return (
        f"Parameters that the config leaves open were tuned on validation images alone, by PSNR on "
        f"the foreground, with at most {trials} trials per method and level, the defaults "
        "among them; networks are trained instead."
    )


def _edges(summary: Summary, noise: str) -> list[str]:
    """Name the tuned methods whose optimum may lie beyond what was tried."""
    found = summary.trials
    found = found[(found["noise"] == noise) & found["chosen"] & found["edge"].map(bool)]
    parts = [
        f"{summary.entry(str(entry)).label} ({', '.join(part['edge'].iloc[0])}, σ = "
        f"{listing(dict.fromkeys(map(level_list, part['levels'])))})"
        for (entry, _), part in found.groupby(["entry", "edge"], sort=False)
    ]
    return [f"Tuned to an edge of what was tried: {listing(parts)}."][: len(parts)]


def quality_notes(summary: Summary, noise: str, metrics: Iterable[Score]) -> tuple[str, ...]:
    """Return the footnotes of a table of scores."""
    names = [metric.name for metric in metrics]
    scores = summary.scores
    scores = scores[(scores["noise"] == noise) & scores["metric"].isin(names)]
    notes = _averaging(summary, scores.loc[scores["compared"], "clusters"])
    notes.append(
        "Bold: best of its track, where it has two methods to compare; underlined: second of at "
        "least three. Equal printed values share a mark; tracks are not ranked against each other."
    )
    if scores["below"].any():
        notes.append(f"{BELOW} Below the identity: on average worse than doing nothing.")
    pairs = summary.paired[
        (summary.paired["noise"] == noise) & summary.paired["metric"].isin(names)
    ]
    if summary.reference and any(pairs["different"] == False):  # noqa: E712 - None is neither
        notes.append(
            f"{ALIKE} Not different from {summary.reference.label}: p of at least 0.05 in a paired "
            f"Wilcoxon test over {noun_of(summary.manifest)}s, adjusted by Holm over a noise "
            "model's levels and methods."
        )
    families = [part for _, part in pairs.groupby("metric", sort=False)]
    noun = noun_of(summary.manifest)
    notes += dict.fromkeys(
        powerless(part, noun) for part in families if part["different"].isna().all()
    )
    notes += [*missing(summary, metrics), *_completion(scores)]
    notes += _estimates(summary, noise)
    manifest = summary.manifest
    notes.insert(0, volumes(manifest, metrics))
    notes += [scoring(manifest, names), references(manifest), split(manifest), tuning(manifest)]
    notes += [*_edges(summary, noise), *remarks(summary)]
    return tuple(note for note in notes if note)


def _averaging(summary: Summary, found: pd.Series) -> list[str]:
    """Say over what a table's means are taken, and what its intervals are."""
    clusters = int(found.min()) if len(found) else 0
    noun = noun_of(summary.manifest)
    thing = item(summary.manifest)
    what = (
        "A subject is who the data say."
        if noun == "subject"
        else "A cluster is a group of images that show the same slice; clusters are not patients."
    )
    notes = [
        f"Mean and 95 % BCa bootstrap interval over {noun}s (N = {_range(found)}): realisations "
        f"are averaged, then the {thing}s of a {noun}. {what}"
        if clusters > 1
        else f"One {noun} only: no interval can be given."
        if clusters
        else "No method completed enough cells to be compared."
    ]
    if 1 < clusters < FEW_CLUSTERS:
        notes.append(f"With so few {noun}s a bootstrap interval is too narrow.")
    return notes


def paired_notes(summary: Summary, pairs: pd.DataFrame) -> tuple[str, ...]:
    """Return the footnotes of a table of differences."""
    if pairs.empty:
        return ()
    noun = noun_of(summary.manifest)
    notes = [
        f"Over {noun}s (N = {_range(pairs['clusters'])}){', not patients' * (noun == 'cluster')}: "
        f"realisations are averaged, then the images of a {noun}."
    ]
    if pairs["different"].isna().all():
        notes.append(powerless(pairs, noun))
    else:
        notes.append(f"{DIFFERENT} Different at 5 % after the adjustment.")
    if len({summary.entry(entry).track for entry in pairs["entry"]}) > 1:
        notes.append("Methods on other tracks are told something else of sigma than the reference.")
    return (*notes, *remarks(summary))


def _range(numbers: pd.Series) -> str:
    low, high = numbers.min(), numbers.max()
    return f"{low}" if low == high else f"{low} to {high}"


def missing(summary: Summary, metrics: Iterable[Score]) -> Iterator[str]:
    """Say why scores are missing that were asked for."""
    for metric in {each.base: each for each in metrics}.values():
        found = summary.missing[summary.missing["metric"] == metric.base]
        if not found.empty:
            cells = count(int(found["cells"].sum()), "cell")
            reasons = found.sort_values("cells", ascending=False)["reason"]
            more = f", and {count(len(reasons) - 1, 'other reason')}" if len(reasons) > 1 else ""
            yield f"{metric.plain} is missing in {cells}: {reasons.iloc[0].rstrip('.')}{more}."


def _completion(scores: pd.DataFrame) -> list[str]:
    """Say on which cells methods were compared, where some did not complete or have no score."""
    if (scores["completed"] == scores["planned"]).all():
        cells = scores.drop_duplicates("level")
        some = cells[cells["n"] < cells["planned"]]
        parts = [f"{row['n']} of {row['planned']}" for _, row in some.iterrows()]
        return [
            f"Cells of images that have such a score: {listing(dict.fromkeys(parts))} per level."
        ][: len(parts)]
    notes = ["n: cells completed of those planned."]
    common = scores[scores["compared"]].groupby("level")[["n", "planned"]].min()
    parts = [
        f"{n} of {planned} at σ = {written(level)}"
        for level, n, planned in common.reset_index().itertuples(index=False)
    ]
    if (common["n"] < common["planned"]).any():
        notes[0] += (
            f" Means are over the cells that all compared methods completed: {listing(parts)}."
        )
    apart = scores[~scores["compared"] & (scores["completed"] > 0)]
    if not apart.empty:
        notes.append(
            f"{APART} Completed less than {COMPARED_FROM:.0%} of a level's cells: the mean is over "
            "its own cells, and it is not compared."
        )
    return notes


def _estimates(summary: Summary, noise: str) -> list[str]:
    """Say how far the estimates of sigma are off that the track ``estimated`` was told."""
    rows = summary.rows
    if "sigma" not in rows:
        return []
    told = rows[(rows["noise"] == noise) & (rows["track"] == "estimated") & rows["sigma"].notna()]
    # One estimate per noisy image, whatever the methods and the multiple that each is told.
    once = told.drop_duplicates(["level", "image", "realisation"])
    if once.empty:
        return []
    sigma = once["sigma"] / once["sigma_factor"]
    if noise == MEASURED:  # nobody knows the true one
        low, middle, high = (f"{value:.3g}" for value in sigma.quantile([0, 0.5, 1]))
        return [f"σ was estimated in every noisy image: median {middle}, from {low} to {high}."]
    error = 100 * (sigma / once["level"] - 1)
    medians = error.groupby(once["level"]).median()
    parts = [
        f"{median:+.1f} % at σ = {written(level)}"
        for level, median in zip(medians.index.tolist(), medians, strict=True)
    ]
    text = (
        f"Estimated σ: median error {listing(parts)}; "
        f"median magnitude {error.abs().median():.1f} %, largest {error.abs().max():.1f} %."
    )
    return [text.replace("-", "−")]


def remarks(summary: Summary) -> list[str]:
    """Return the lines that must stand under every table: of data sets and of methods."""
    found = [manifest.dataset.remark for manifest in summary.manifests.values()]
    found += [
        f"{entry.label}: {entry.details.remark}."
        for entry in summary.entries
        if entry.details.remark
    ]
    return [text.replace("..", ".") for text in dict.fromkeys(found) if text]
