"""What can be said of an answer without a reference: estimates, each with what it assumes."""

from __future__ import annotations

import numpy as np
import scipy.ndimage

from denobench.metrics.base import metric


def _mean(values: np.ndarray, mask: np.ndarray | None) -> float:
    return float(np.mean(values if mask is None else values[mask]))


def _sure_psnr(errors: np.ndarray, mask: np.ndarray | None) -> float:
    error = _mean(errors, mask)
    return float(-10 * np.log10(error)) if error > 0 else float("nan")


@metric(
    "sure-psnr",
    title="SURE (estimated PSNR)",
    unit="dB",
    reduce=_sure_psnr,
    needs=("noisy", "sigma", "divergence"),
    reference=False,
    settings={"assumes": "white Gaussian noise of the sigma told", "probes": 1},
    dims=3,
)
def sure_psnr(
    image: None,
    denoised: np.ndarray,
    *,
    noisy: np.ndarray,
    sigma: float,
    divergence: np.ndarray,
) -> np.ndarray:
    """Stein's unbiased estimate of the squared error, as a PSNR in dB.

    On the assumption of white Gaussian noise of the sigma told; Rician noise, noise that is not
    white, and a wrong sigma make it wrong; where it comes out below 0, it is missing. Its random
    probe adds some hundredths of a dB.

    References
    ----------
    C. M. Stein, "Estimation of the mean of a multivariate normal distribution", Annals of
    Statistics 9(6), 1981. S. Ramani, T. Blu and M. Unser, "Monte-Carlo SURE: a black-box
    optimization of regularization parameters for general denoising algorithms", IEEE Transactions
    on Image Processing 17(9), 2008.
    """
    return (noisy - denoised) ** 2 - sigma**2 + 2 * sigma**2 * divergence


def _whiteness(residual: np.ndarray, mask: np.ndarray | None) -> float:
    inside = np.ones(residual.shape, bool) if mask is None else mask
    found = []
    for axis in (0, 1):
        both = inside & np.roll(inside, -1, axis)
        both[(slice(-1, None), slice(None)) if axis == 0 else (slice(None), slice(-1, None))] = (
            False
        )
        one, two = residual[both], np.roll(residual, -1, axis)[both]
        one, two = one - one.mean(), two - two.mean()
        norm = np.sqrt((one**2).sum() * (two**2).sum())
        found.append(abs(float((one * two).sum() / norm)) if norm > 0 else float("nan"))
    return float(np.mean(found))


@metric(
    "residual-whiteness",
    title="Residual autocorrelation",
    better="lower",
    reduce=_whiteness,
    needs=("noisy",),
    reference=False,
)
def residual_whiteness(image: None, denoised: np.ndarray, *, noisy: np.ndarray) -> np.ndarray:
    """How much neighbouring pixels of the residual are alike, in [0, 1]: 0 for white noise.

    The mean magnitude of the autocorrelation at a lag of one row and of one column; missing where
    nothing was taken away. Noise that is not white itself has some.
    """
    return noisy - denoised


def _whole_only(found: float, mask: np.ndarray | None) -> float:
    return found if mask is None else float("nan")


@metric(
    "background-noise",
    title="Noise left in the background",
    better="lower",
    reduce=_whole_only,
    needs=("noisy",),
    reference=False,
    dims=3,
)
def background_noise(image: None, denoised: np.ndarray, *, noisy: np.ndarray) -> float:
    """The share of the background's deviation that is left, from 0; missing without a background.

    The background is what is not foreground, two pixels away from it and more. Of the foreground
    alone there is no such score.
    """
    from denobench import images

    outside = ~scipy.ndimage.binary_dilation(images.foreground(np.clip(noisy, 0, 1)), iterations=2)
    before = float(np.std(noisy[outside])) if outside.sum() > 100 else 0.0
    return float(np.std(denoised[outside])) / before if before > 0 else float("nan")


def _steepest(pair: tuple[np.ndarray, np.ndarray], mask: np.ndarray | None) -> float:
    own, blurred = (each if mask is None else each[mask] for each in pair)
    edges = blurred >= np.percentile(blurred, 95)
    before = float(np.mean(blurred[edges]))
    return float(np.mean(own[edges])) / before if before > 0 else float("nan")


@metric(
    "edge-sharpness",
    title="Edge sharpness",
    reduce=_steepest,
    needs=("noisy",),
    reference=False,
)
def edge_sharpness(
    image: None, denoised: np.ndarray, *, noisy: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How steep the answer is at the strongest edges of the noisy image's blur, from 0.

    Both gradients are of Gaussians of one pixel, the steepest 5 % of the blur being the edges: 1
    where these are kept as a blur of one pixel leaves them, below 1 where they are flattened.
    """
    steepness = scipy.ndimage.gaussian_gradient_magnitude
    return steepness(denoised, 1.0), steepness(noisy.astype(np.float64), 1.0)
