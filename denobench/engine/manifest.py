"""What a reader needs to know of a run to believe and repeat it."""

from __future__ import annotations

import inspect
import subprocess
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from denobench import images, metrics, noise
from denobench.answers import CLIP
from denobench.datasets import Item
from denobench.datasets.noisiness import residual_noise
from denobench.engine.planning.methods import PlannedMethod
from denobench.engine.planning.plan import Plan
from denobench.engine.planning.sources import harness_versions, installed_version
from denobench.engine.workers.machine import hardware
from denobench.files import digest_of
from denobench.manifest import (
    DatasetRecord,
    Git,
    Hardware,
    LeftOut,
    Manifest,
    MethodRecord,
    MetricRecord,
    NoiseRecord,
    Protocol,
    ResidualNoise,
)
from denobench.registry import Origin

RESIDUAL_SAMPLE = 20

_KEPT = ("gallery", "models", "stages")


def describe(plan: Plan, name: str, earlier: Manifest | None = None) -> Manifest:
    """Return a run's manifest; training and stages are added as they end.

    From the manifest of an ``earlier`` run of the folder are kept how long its stages took, which
    pictures and weights lie there and, if the tested images are the same, how noisy these are.
    """
    config = plan.config
    models = sorted({corruption.model for corruption in config.noises})
    # Of the earlier run until the stages say more: they lie in the folder as its plan has them.
    kept = {} if earlier is None else {name: getattr(earlier, name) for name in _KEPT}
    written = config.model_dump(mode="json", exclude={"data"})
    return Manifest(
        name=name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        config=written,
        seed=config.seed,
        size=config.size,
        realisations=config.realisations,
        dataset=_dataset(plan, earlier),
        methods={method.name: _method(method) for method in plan.methods},
        metrics={name: _metric(name) for name in config.metrics},
        protocol=Protocol(
            clip=CLIP,
            interpolation="INTER_AREA" if config.side else None,
            foreground=_summary_line(images.foreground),
        ),
        noise_models={name: NoiseRecord(title=noise.REGISTRY.load(name).title) for name in models},
        share=bool(plan.dataset.licence) or config.gallery.share,
        versions=versions(plan.methods),
        hardware=Hardware(**hardware()),
        git=_git(),
        **kept,
    )


def _dataset(plan: Plan, earlier: Manifest | None) -> DatasetRecord:
    items = plan.dataset.items
    tested = _digest(plan.test)
    known = None
    if earlier and (earlier.size, earlier.dataset.tested_digest) == (plan.config.size, tested):
        known = earlier.dataset.residual_noise
    parts, folds = plan.splits[0], len(plan.splits)
    return DatasetRecord(
        name=plan.dataset.name,
        licence=plan.dataset.licence,
        images=len(items),
        clusters=len({item.cluster for item in items}),
        labels={
            label: sum(item.label == label for item in items)
            for label in sorted({item.label for item in items})
        },
        split=plan.config.split,
        train=len(parts.train) if folds == 1 else None,
        validation=len(parts.validation) if folds == 1 else None,
        folds=folds if folds > 1 else None,
        test=sum(len(part.test) for part in plan.splits),
        tested=len(plan.test),
        tested_digest=tested,
        leaks=sum(part.leaks for part in plan.splits),
        unreadable=tuple(
            LeftOut(path=found.path, reason=found.reason) for found in plan.dataset.unreadable
        ),
        residual_noise=known or _residual_noise(plan),
        remark=plan.dataset.remark,
        notes=plan.dataset.notes,
        cluster_of=plan.dataset.clusters,
        digest=_digest(items),
    )


def _digest(items: Iterable[Item]) -> str:
    return digest_of(sorted((item.id, item.digest) for item in items))


def _residual_noise(plan: Plan) -> ResidualNoise:
    """Return how clean the references are, judged by some of the test images."""
    step = -(-len(plan.test) // RESIDUAL_SAMPLE)
    found = [residual_noise(item.typical.read(plan.config.side)) for item in plan.test[::step]]
    return ResidualNoise(median=float(np.median(found)), max=max(found), images=len(found))


def _summary_line(documented: Callable[..., object]) -> str:
    """Return what the first line of a function's documentation says it returns."""
    line = (inspect.getdoc(documented) or "").partition("\n")[0]
    return line.removeprefix("Return ").rstrip(".")


def _method(method: PlannedMethod) -> MethodRecord:
    info = method.info
    return MethodRecord(
        method=method.registered,
        title=info.title if method.name == method.registered else method.name,
        registered_title=info.title,
        track=method.track,
        sigma_factor=method.sigma_factor,
        parameters=dict(method.parameters),
        licence=info.licence,
        reference=info.reference,
        assumes=info.assumes,
        dims=info.dims,
        notes=info.notes,
        remark="; ".join(filter(None, (_hiding(method.origin), method.remark))),
    )


def _hiding(origin: Origin) -> str:
    """Say of a plugin's method what it takes the place of."""
    if not (origin.plugin and origin.hides):
        return ""
    return f"the method of the plugin {origin.plugin.name}, in place of that of {origin.hides}"


def _metric(name: str) -> MetricRecord:
    metric = metrics.REGISTRY.load(name)
    return MetricRecord(
        title=metric.title,
        unit=metric.unit,
        better=metric.better,
        reference=metric.reference,
        settings=dict(metric.settings),
        dims=metric.dims,
    )


def versions(methods: Iterable[PlannedMethod]) -> dict[str, str]:
    """Return the versions of the libraries that compute a plan's answers and scores, by name."""
    declared = {package for method in methods for package in method.info.packages}
    known = harness_versions() | {package: installed_version(package) for package in declared}
    return dict(sorted(known.items()))


def _git() -> Git | None:
    """Return commit and state of the checkout that denobench runs from, if it is one."""
    folder = Path(__file__).parents[2]
    if not (folder / ".git").exists():
        return None
    try:
        commit = _run_git(folder, "rev-parse", "HEAD")
        return Git(commit=commit, dirty=bool(_run_git(folder, "status", "--porcelain")))
    except (OSError, subprocess.CalledProcessError):
        return None


def _run_git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", "-C", str(folder), *words], check=True, capture_output=True, text=True
    ).stdout.strip()
