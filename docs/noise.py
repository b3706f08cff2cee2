"""Measure what docs/noise.md says of the estimates of sigma and of variance stabilisation.

``python docs/noise.py estimates [FOLDER]`` takes the simulated test slices, or every fifth image of
a folder; ``python docs/noise.py stabilisation`` takes four simulated slices at rician:0.09.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from denobench import images, methods, metrics, noise
from denobench.datasets import Item, open_dataset, open_folder

SIZE = 224
LEVELS = (0.03, 0.05, 0.09, 0.12, 0.15)
# Noise, and the estimator of which noise is tried on it.
PAIRS = (("rician", "rician"), ("rician", "gaussian"), ("gaussian", "gaussian"),
         ("gaussian-clipped", "gaussian"))  # fmt: skip
# Slices whose foreground leaves less than this of the image count as without background.
BACKGROUND = 0.1


def noisy_images(
    items: Iterable[Item], model: str, level: float
) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield each image, clean and noisy."""
    chosen = noise.REGISTRY.load(model)
    for item in items:
        clean = item.read(SIZE)
        fields = noise.draw_fields(
            (chosen.fields, *clean.shape), seed=0, image=item.digest, realisation=0
        )
        yield clean, noise.corrupt(clean, chosen, level, fields)


def estimates(items: list[Item]) -> None:
    """Print errors of the estimated sigma in per cent: median [5th, 95th percentile]."""
    print("| noise | estimator | images | " + " | ".join(f"{level:g}" for level in LEVELS) + " |")
    print("|---|---|---|" + "---|" * len(LEVELS))
    masks = [images.foreground(item.read(SIZE)) for item in items]
    bare = np.array([1 - mask.mean() < BACKGROUND for mask in masks])
    every = np.ones(len(items), bool)
    for model, estimator in PAIRS:
        estimate = noise.REGISTRY.load(estimator).estimate
        whole, inner = [], []
        for level in LEVELS:
            noisy = [each for _, each in noisy_images(items, model, level)]
            whole.append([100 * (estimate(each) / level - 1) for each in noisy])
            inner.append(
                [
                    100 * (estimate(each[inside(mask)]) / level - 1)
                    for each, mask in zip(noisy, masks, strict=True)
                ]
            )
        for title, errors, part in (
            ("with background", whole, ~bare),
            ("with next to none", whole, bare),
            ("cut to the inner head", inner, every),
        ):
            if part.any():
                spread = [np.percentile(np.array(each)[part], [50, 5, 95]) for each in errors]
                cells = (f"{middle:+.1f} [{low:+.1f}, {high:+.1f}]" for middle, low, high in spread)
                print(f"| {model} | {estimator} | {part.sum()} {title} | {' | '.join(cells)} |")


def inside(mask: np.ndarray) -> tuple[slice, ...]:
    """Return the window of the middle three fifths of the head, in which there is no background."""
    places = (np.nonzero(mask.any(axis=axis))[0] for axis in (1, 0))
    return tuple(slice(*np.quantile(each, [0.2, 0.8]).astype(int)) for each in places)


def stabilisation(items: list[Item], level: float = 0.09) -> None:
    """Print PSNR, whole and foreground, of methods alone, corrected naively and stabilised."""

    def alone(name: str, noisy: np.ndarray) -> np.ndarray:
        return methods.build(name).denoise(noisy, level)

    def corrected(name: str, noisy: np.ndarray) -> np.ndarray:
        return np.sqrt(np.maximum(np.square(alone(name, noisy)) - 2 * level**2, 0))

    answers: dict[str, Callable[[np.ndarray], np.ndarray]] = {}
    for name in ("identity", "nlm", "bm3d"):
        answers[name] = partial(alone, name)
        answers[f"{name}, sqrt(x^2 - 2 sigma^2)"] = partial(corrected, name)
    for name in ("vst(nlm)", "vst(bm3d)"):
        answers[name] = partial(alone, name)
    print("| method | PSNR, whole image | PSNR, foreground | SSIM, foreground |\n|---|---|---|---|")
    pairs = [*noisy_images(items, "rician", level)]
    for name, answer in answers.items():
        scores = []
        for clean, noisy in pairs:
            denoised, mask = np.clip(answer(noisy), 0, 1), images.foreground(clean)
            scores.append(
                (
                    metrics.psnr(clean, denoised),
                    metrics.psnr(clean, denoised, mask),
                    metrics.ssim(clean, denoised, mask),
                )
            )
        whole, inside, similar = np.mean(scores, axis=0)
        print(f"| {name} | {whole:.2f} | {inside:.2f} | {similar:.3f} |")


def main() -> None:
    """Read the command line and print a table."""
    what, *folder = sys.argv[1:] or ["estimates"]
    found = open_folder(Path(folder[0])) if folder else open_dataset("simulated", None)
    items = [item for item in found.items if item.part != "train"]
    if what == "estimates":
        estimates(items[::5] if folder else items)
    else:
        stabilisation(items[:4])


if __name__ == "__main__":
    main()
