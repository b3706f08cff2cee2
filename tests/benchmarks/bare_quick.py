"""What one would write without denobench: ten methods on the images of ``quick``, two plots.

A bare script: no check, no seed per image, no second run. It reads images from a file, corrupts,
denoises and scores them one after the other, with libraries' own threads, and plots the means.

    python bare_quick.py IMAGES.npy WEIGHTS.npz FOLDER [--without-bm3d]
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import matplotlib as mpl

mpl.use("agg")
import matplotlib.pyplot as plt
import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle, denoise_wavelet

LEVELS = (0.05, 0.1, 0.2)
Method = Callable[[np.ndarray, float], np.ndarray]


def nlm_opencv(noisy: np.ndarray, sigma: float) -> np.ndarray:
    pixels = np.round(np.clip(noisy, 0, 1) * 255).astype(np.uint8)
    return cv2.fastNlMeansDenoising(pixels, None, sigma * 255, 5, 17).astype(np.float32) / 255


def bm3d(noisy: np.ndarray, sigma: float) -> np.ndarray:
    import bm3d as package

    profile = package.BM3DProfile()
    profile.num_threads = 2
    return package.bm3d(noisy.astype(np.float64), sigma, profile)


def autoencoder(weights: str) -> Method:
    """Return the paper's network in plain Keras."""
    from denobench.autoencoder import build_cdae
    from denobench.autoencoder.weights import SHAPES

    network = build_cdae((224, 224, 3))
    with np.load(weights) as kept:
        network.set_weights([kept[name] for name in SHAPES])

    def denoise(noisy: np.ndarray, sigma: float) -> np.ndarray:
        batch = np.repeat(noisy[None, ..., None], 3, axis=3)
        return network.predict(batch, verbose=0)[0].mean(axis=2)

    return denoise


def main(images: str, weights: str, folder: str, *options: str) -> None:
    methods: dict[str, Method] = {
        "identity": lambda noisy, _: noisy,
        "gaussian-filter": lambda noisy, sigma: cv2.GaussianBlur(noisy, (0, 0), 3 * sigma**0.5),
        "median": lambda noisy, _: cv2.medianBlur(noisy, 3),
        "bilateral": lambda noisy, sigma: cv2.bilateralFilter(noisy, -1, 3.5 * sigma, 1.5),
        "wavelet": lambda noisy, sigma: denoise_wavelet(
            noisy, sigma=sigma, wavelet="sym4", method="BayesShrink", mode="soft"
        ),
        "tv": lambda noisy, sigma: denoise_tv_chambolle(noisy, weight=0.7 * sigma),
        "nlm": lambda noisy, sigma: denoise_nl_means(
            noisy, patch_size=5, patch_distance=8, h=0.7 * sigma, sigma=sigma, fast_mode=True
        ),
        "nlm-opencv": nlm_opencv,
        "cdae": autoencoder(weights),
    }
    if "--without-bm3d" not in options:
        methods["bm3d"] = bm3d
    clean_images = np.load(images)
    random = np.random.default_rng(0)
    scores = np.zeros((2, len(methods), len(LEVELS), len(clean_images)))
    for place, clean in enumerate(clean_images):
        for level, sigma in enumerate(LEVELS):
            noisy = clean + sigma * random.standard_normal(clean.shape, np.float32)
            for number, denoise in enumerate(methods.values()):
                denoised = np.clip(denoise(noisy, sigma), 0, 1)
                scores[0, number, level, place] = peak_signal_noise_ratio(
                    clean, denoised, data_range=1
                )
                scores[1, number, level, place] = structural_similarity(
                    clean,
                    denoised,
                    data_range=1,
                    gaussian_weights=True,
                    sigma=1.5,
                    use_sample_covariance=False,
                )
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, found in zip(("PSNR", "SSIM"), scores.mean(axis=3), strict=True):
        figure, axes = plt.subplots()
        for method, line in zip(methods, found, strict=True):
            axes.plot(LEVELS, line, label=method)
        axes.set(xlabel="sigma", ylabel=name)
        axes.legend()
        figure.savefig(Path(folder) / f"{name}.png", dpi=180)


if __name__ == "__main__":
    main(*sys.argv[1:])
