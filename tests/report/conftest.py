"""A small run that is really computed: phantoms, noise, scikit-image's denoisers and metrics."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage
from shared import once
from skimage import data, metrics, restoration, transform

from denobench.gallery import Pictures
from denobench.manifest import parse
from denobench.noise import corrupt, draw_fields, gaussian, rician
from denobench.report import Report, write
from denobench.report.data.summary import Summary, summarise
from denobench.report.data.table import Table
from denobench.report.tables.scores import make_tables
from denobench.rows import Row, RunFolder, to_frame

SIDE = 64
NOISES = {"gaussian": gaussian, "rician": rician}
Function = Callable[[np.ndarray, float], np.ndarray]


def _estimate(noisy: np.ndarray) -> float:
    return float(restoration.estimate_sigma(noisy))


def _sharpen(noisy: np.ndarray, sigma: float) -> np.ndarray:
    return noisy + (noisy - ndimage.gaussian_filter(noisy, 1.0))


def _fragile(noisy: np.ndarray, sigma: float) -> np.ndarray:
    if noisy.max() > 1 + 2.3 * sigma:
        raise ValueError(f"a value of {noisy.max():.3f} is beyond what this filter\nknows")
    return ndimage.uniform_filter(noisy, 3)


def _broken(noisy: np.ndarray, sigma: float) -> np.ndarray:
    raise RuntimeError("needs_more 100% of a_library & a <GPU>")


# name -> title, registered method, track, function
METHODS: dict[str, tuple[str, str, str, Function]] = {
    "tv": ("Total variation", "tv", "oracle",
           lambda y, s: restoration.denoise_tv_chambolle(y, weight=0.7 * s)),
    "nlm": ("Non-local means", "nlm", "oracle",
            lambda y, s: restoration.denoise_nl_means(y, 5, 8, h=0.7 * s, sigma=s)),
    "tv-estimated": ("Total variation", "tv", "estimated",
                     lambda y, _: restoration.denoise_tv_chambolle(y, weight=0.7 * _estimate(y))),
    "wavelet": ("Wavelet (BayesShrink)", "wavelet", "estimated",
                lambda y, _: restoration.denoise_wavelet(y, sigma=_estimate(y))),
    "median": ("Median", "median", "blind", lambda y, _: ndimage.median_filter(y, 3)),
    "sharpen": ("Sharpening & more_noise", "sharpen", "blind", _sharpen),
    "fragile": ("Fragile box filter", "fragile", "blind", _fragile),
    "broken": ("Broken", "broken", "blind", _broken),
    "identity": ("Identity", "identity", "blind", lambda y, _: y),
}  # fmt: skip


def phantoms(count: int, side: int = SIDE) -> list[tuple[str, str, str, np.ndarray]]:
    """Return Shepp-Logan heads, turned and scaled: id, label, cluster, image; 1 and 2 are akin."""
    head = transform.resize(data.shepp_logan_phantom(), (side, side), anti_aliasing=True)
    found = []
    for index in range(count):
        cluster = max(index - 1, 0)
        turn = transform.AffineTransform(
            scale=1 + 0.03 * cluster, rotation=0.1 * cluster, translation=(0, index % 2)
        )
        image = np.clip(transform.warp(head, turn.inverse) * (1 - 0.05 * cluster), 0, 1)
        found.append((f"head_{index:02d}.png", "yes" if index % 2 else "no", f"c{cluster}", image))
    return found


def lesion(shape: tuple[int, ...]) -> np.ndarray:
    """Return a tumour's mask: a core in its oedema."""
    mask = np.zeros(shape, np.uint8)
    mask[28:36, 18:30] = 3
    mask[30:34, 20:28] = 1
    return mask


def score(clean: np.ndarray, denoised: np.ndarray) -> dict[str, float]:
    """Return scikit-image's scores, on the whole image and on the foreground."""
    denoised = np.clip(denoised, 0, 1)
    mask = ndimage.binary_fill_holes(clean > 0.05)
    mean, similarity = metrics.structural_similarity(
        clean, denoised, data_range=1, gaussian_weights=True, use_sample_covariance=False, full=True
    )
    with np.errstate(divide="ignore"):
        return {
            "psnr": metrics.peak_signal_noise_ratio(clean, denoised, data_range=1),
            "psnr_foreground": metrics.peak_signal_noise_ratio(
                clean[mask], denoised[mask], data_range=1
            ),
            "ssim": mean,
            "ssim_foreground": similarity[mask].mean(),
            "nrmse": metrics.normalized_root_mse(clean, denoised),
            "nrmse_foreground": metrics.normalized_root_mse(clean[mask], denoised[mask]),
        }


def compute_rows(
    folder: RunFolder,
    images: Iterable[tuple[str, str, str, np.ndarray]],
    methods: Mapping[str, tuple[str, str, str, Function]],
    noises: Iterable[tuple[str, float]],
    *,
    realisations: int = 1,
    gallery: Iterable[str] = (),
) -> list[Row]:
    """Denoise and score, keep the gallery's pictures, and return the rows."""
    noises, gallery, rows = [*noises], {*gallery}, []
    for image, label, cluster, clean in images:
        digest = sha256(clean.tobytes()).hexdigest()
        for realisation in range(realisations):
            fields = draw_fields((2, *clean.shape), seed=0, image=digest, realisation=realisation)
            for model, level in noises:
                noisy = corrupt(clean, NOISES[model], level, fields[: NOISES[model].fields])
                keep = image in gallery and realisation == 0
                for name, (_, registered, track, function) in methods.items():
                    status, error, scores, start = "ok", "", {}, perf_counter()
                    key = f"{name}|{model}:{level}|{image}|{realisation}"
                    try:
                        denoised = np.clip(function(noisy, level), 0, 1)
                        scores = score(clean, denoised)
                        if keep:
                            observation = f"{image} {model}:{level}"
                            kept = Pictures(clean, noisy, denoised, lesion(clean.shape))
                            folder.gallery.save(observation, key, kept)
                    except Exception as problem:
                        status, error = "failed", f"{type(problem).__name__}: {problem}"
                    rows.append(
                        Row(
                            key=key,
                            method=name, parameters=json.dumps({"of": registered}), track=track,
                            noise=model, level=level, realisation=realisation,
                            image=image, label=label, cluster=cluster,
                            status=status, error=error, metrics=scores,
                            seconds=perf_counter() - start, image_digest=digest,
                            field_digest=sha256(fields.tobytes()).hexdigest(),
                        )
                    )  # fmt: skip
    return rows


def measure(
    methods: Mapping[str, tuple[str, str, str, Function]], side: int = SIDE, repeats: int = 3
) -> pd.DataFrame:
    """Time every method, as the timing pass records it."""
    noisy = np.random.default_rng(0).normal(0.3, 0.1, (side, side)).astype(np.float32)
    records = []
    for name, (_, _, track, function) in methods.items():
        libraries = ["numpy", *(["scikit-image"] if name in ("tv", "nlm") else [])]
        versions = ", ".join(f"{each} {version(each)}" for each in libraries)
        common = {"method": name, "parameters": "{}", "track": track, "threads": 1, "size": side}
        common["versions"] = versions
        try:
            times = []
            for _ in range(repeats + 1):
                start = perf_counter()
                function(noisy, 0.1)
                times.append(1e3 * (perf_counter() - start))
            low, median, high = np.percentile(times[1:], [25, 50, 75])
            records.append(
                {
                    **common,
                    "repeats": repeats,
                    "median_ms": median,
                    "low_ms": low,
                    "high_ms": high,
                    "min_ms": min(times[1:]),
                    "max_ms": max(times[1:]),
                    "cold_ms": times[0],
                    "peak_mb": 100.0,
                    "status": "ok",
                    "error": "",
                }
            )
        except Exception as problem:
            error = f"{type(problem).__name__}: {problem}"
            records.append({**common, "repeats": 0, "status": "failed", "error": error})
    return pd.DataFrame(records)


def train(images: Iterable[np.ndarray], *, epochs: int = 25, rate: float = 0.5) -> pd.DataFrame:
    """Learn a 5 x 5 filter by gradient descent for two levels; return the real history."""
    images, records, side = [*images], [], 5
    for level in (0.1, 0.2):
        noise = np.random.default_rng(1)
        pairs = [(x, np.pad(x + noise.normal(0, level, x.shape), side // 2)) for x in images]
        views = [np.lib.stride_tricks.sliding_window_view(y, (side, side)) for _, y in pairs]
        targets = [x for x, _ in pairs]
        weights = np.zeros((side, side))
        history = []
        for epoch in range(1, epochs + 1):
            errors = [np.tensordot(v, weights, 2) - x for v, x in zip(views, targets, strict=True)]
            losses = [float(np.mean(error**2)) for error in errors]
            loss, val_loss = float(np.mean(losses[1:])), losses[0]
            history.append((epoch, loss, val_loss, -10 * np.log10(val_loss)))
            for view, error in zip(views[1:], errors[1:], strict=True):
                gradient = np.tensordot(error, view, 2) / error.size
                weights -= rate * gradient / len(images)
        kept = min(history, key=lambda entry: entry[2])[0]
        records += [
            {"method": "median", "noise": "gaussian", "levels": f"{level:g}", "key": "k",
             "epoch": epoch, "loss": loss, "val_loss": val_loss, "val_psnr": psnr,
             "learning_rate": rate, "seconds": 0.1, "kept": epoch == kept}
            for epoch, loss, val_loss, psnr in history
        ]  # fmt: skip
    return pd.DataFrame(records)


def tune(images: Iterable[tuple[str, str, str, np.ndarray]]) -> pd.DataFrame:
    """Try weights of total variation at two levels, and return the trials as a run keeps them."""
    records = []
    for level in (0.1, 0.2):
        for trial, weight in enumerate((0.7, 0.5, 0.9, 1.1)):
            for image, _, cluster, clean in images:
                noisy = clean + level * np.random.default_rng(3).normal(size=clean.shape)
                denoised = restoration.denoise_tv_chambolle(noisy, weight=weight * level)
                records.append(
                    {
                        "method": "tv", "fold": 0, "noise": "gaussian", "levels": f"{level:g}",
                        "trial": trial, "settings": json.dumps({"weight": weight}), "level": level,
                        "key": f"{level}|{weight}|{image}", "image": image, "cluster": cluster,
                        "status": "ok", "error": "",
                        "psnr_foreground": score(clean, denoised)["psnr_foreground"],
                    }
                )  # fmt: skip
    return pd.DataFrame(records)


def make_manifest(
    rows: Iterable[Row], methods: Mapping[str, tuple[str, str, str, Function]], **others: Any
) -> dict[str, Any]:
    """Return a manifest for the rows, as a run writes it."""
    frame = to_frame(rows, "run")
    return {
        "name": "phantoms", "created": "2024-01-02T03:04:05", "seed": 0, "size": SIDE,
        "realisations": int(frame["realisation"].max()) + 1,
        "config": {
            "split": "cluster", "methods": dict.fromkeys(methods), "tuning": {"trials": 4},
        },
        "dataset": {
            "name": "phantoms", "images": 20, "train": 10, "validation": 4,
            "test": frame["image"].nunique(), "clusters": 19, "labels": {"yes": 10, "no": 10},
            "unreadable": [{"path": "bad_<file>.png", "reason": "not an image"}],
            "remark": "One geometric head: it demonstrates the tool and ranks nothing.",
        },
        "methods": {
            name: {
                "title": title, "track": track, "method": registered, "parameters": {"size": 3},
                "licence": "BSD-3-Clause", "reference": "A. Author, 1992", "notes": "",
                "training": None, "remark": "",
            }
            for name, (title, registered, track, _) in methods.items()
        },
        "protocol": {"clip": [0.0, 1.0], "interpolation": "INTER_AREA", "foreground": "the head"},
        "metrics": {
            "psnr": {
                "title": "PSNR", "unit": "dB", "better": "higher", "settings": {"data_range": 1.0},
            },
            "ssim": {"title": "SSIM", "unit": "", "better": "higher", "settings": {"sigma": 1.5}},
            "nrmse": {"title": "NRMSE", "unit": "", "better": "lower"},
        },
        "noise_models": {"gaussian": {"title": "Gaussian"}, "rician": {"title": "Rician"}},
        "gallery": [],
        "versions": {"numpy": np.__version__, "pandas": pd.__version__},
        "hardware": {"cpu": "a processor", "cores": 2, "memory_gb": 8, "platform": "Linux"},
        "git": {"commit": "0123456789abcdef", "dirty": True},
        "stages": {"training_s": 12.0, "cells_s": 34.0, "timing_s": 5.0, "core_share": 0.8},
        **others,
    }  # fmt: skip


def write_run(
    path: Path,
    rows: list[Row],
    manifest: Mapping[str, Any],
    *,
    timing: pd.DataFrame | None = None,
    training: pd.DataFrame | None = None,
    tuning: pd.DataFrame | None = None,
) -> RunFolder:
    """Write a run folder as the engine does."""
    path.mkdir(parents=True, exist_ok=True)
    folder = RunFolder(path)
    folder.store.add(rows)
    folder.write_manifest(parse(manifest, "test"))
    folder.write_plan(row.key for row in rows)
    if timing is not None:
        timing.to_csv(path / "timing.csv", index=False)
    if training is not None:
        training.to_csv(path / "training.csv", index=False)
    if tuning is not None:
        tuning.to_csv(path / "tuning.csv", index=False)
    return folder


def compute(path: Path) -> RunFolder:
    """Write six phantoms in five clusters, two noise models, three levels, two realisations."""
    images = phantoms(6)
    noises = [("gaussian", level) for level in (0.05, 0.1, 0.2)] + [("rician", 0.1)]
    folder = RunFolder(path)
    rows = compute_rows(folder, images, METHODS, noises, realisations=2, gallery=["head_00.png"])
    manifest = make_manifest(
        rows,
        METHODS,
        gallery=[
            {
                "image": "head_00.png",
                "noise": "gaussian",
                "level": 0.1,
                "observation": "head_00.png gaussian:0.1",
            }
        ],
    )
    manifest["methods"]["median"] |= {
        "training": {"epochs": 25, "kept_epoch": 25, "seconds": 2.5, "images": 10},
        "remark": "undertrained, 25 epochs",
    }
    return write_run(
        path,
        rows,
        manifest,
        timing=measure(METHODS),
        training=train([image for _, _, _, image in images]),
        tuning=tune(phantoms(4)),
    )


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Return the run that all read and none changes."""
    return once(tmp_path_factory, "run", lambda folder: compute(folder / "phantoms"))


@pytest.fixture(scope="session")
def summary(run: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Summary:
    """The run, summarised with intervals."""
    return once(tmp_path_factory, "summary", lambda _: summarise([run]))


@pytest.fixture
def derive(run: RunFolder, tmp_path: Path) -> Callable[..., RunFolder]:
    """Write a run made from rows of the computed one: ``derive(keep, change, **manifest)``."""

    def make(
        keep: Callable[[Row], bool] = lambda _: True,
        change: Callable[[Row], Row] = lambda row: row,
        *,
        name: str = "derived",
        timing: pd.DataFrame | None = None,
        **others: Any,
    ) -> RunFolder:
        rows = [change(row) for row in run.store.rows() if keep(row)]
        return write_run(
            tmp_path / name, rows, {**run.manifest().record(), **others}, timing=timing
        )

    return make


@pytest.fixture(scope="session")
def report(run: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The run's report, in a folder of its own."""
    return once(tmp_path_factory, "report", lambda folder: write([run], folder))


@pytest.fixture(scope="session")
def tables(summary: Summary) -> dict[str, Table]:
    """The run's tables by name."""
    return {table.name: table for table in make_tables(summary)}
