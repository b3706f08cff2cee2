"""What became of edges, and how much of the anatomy went with the noise."""

from __future__ import annotations

import numpy as np
import scipy

from denobench.metrics.base import metric

Pair = tuple[np.ndarray, np.ndarray]


def _correlation(pair: Pair, mask: np.ndarray | None) -> float:
    """Return Pearson's correlation of the pixels, 0 where one of the two is constant."""
    chosen = slice(None) if mask is None else mask
    one, other = (each[chosen] - each[chosen].mean() for each in pair)
    norm = np.sqrt(np.sum(one**2) * np.sum(other**2))
    return float(np.sum(one * other) / norm) if norm else 0.0


def _edges_alike(edges: Pair, mask: np.ndarray | None) -> float:
    if np.ptp(edges[0] if mask is None else edges[0][mask]) == 0:
        return float("nan")
    return _correlation(edges, mask)


@metric("epi", title="EPI", reduce=_edges_alike)
def epi(image: np.ndarray, denoised: np.ndarray) -> Pair:
    """Edge preservation index, in [-1, 1]: the correlation of both images' Laplacians.

    NaN where the clean image has no edges; 0 where the denoised one has none.

    References
    ----------
    F. Sattar et al., "Image enhancement based on a nonlinear multiscale method", IEEE
    Transactions on Image Processing 6(6), 1997: the measure called beta there.
    """
    return scipy.ndimage.laplace(image), scipy.ndimage.laplace(denoised)


@metric(
    "residual-structure",
    title="Residual structure",
    better="lower",
    reduce=lambda pair, mask: abs(_correlation(pair, mask)),
    needs=("noisy",),
)
def residual_structure(image: np.ndarray, denoised: np.ndarray, *, noisy: np.ndarray) -> Pair:
    """How much detail of the clean image is in the residual, in [0, 1].

    The residual is the noisy image less the denoised one, both clipped to [0, 1].

    The score is the magnitude of its correlation with the clean image's detail, which is the image
    less its blur by a Gaussian of 2 pixels: 0 for a method that takes away nothing, and for white
    noise taken away alone; 1 for detail taken away alone. Noise in the residual dilutes the
    correlation, and where noise depends on the signal (clipped, Rician) the true answer scores
    some hundredths: compare methods at one level of one noise model, not levels or models.

    References
    ----------
    A. Buades, B. Coll and J.-M. Morel, "A review of image denoising algorithms, with a new one",
    Multiscale Modeling and Simulation 4(2), 2005: the residual as "method noise". D. Brunet, E. R.
    Vrscay and Z. Wang, "The use of residuals in image denoising", ICIAR 2009: its correlation.
    """
    residual = np.clip(noisy, 0.0, 1.0) - denoised
    return residual, image - scipy.ndimage.gaussian_filter(image, 2.0)
