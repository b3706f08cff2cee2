"""What became of the tumour, in images whose tumour is known."""

from __future__ import annotations

import numpy as np
import scipy

from denobench.metrics.base import metric

_OEDEMA = 3


def _as_it_is(value: float, mask: np.ndarray | None) -> float:  # noqa: ARG001
    """Return a score that was taken on a region of its own, the tumour's."""
    return value


@metric("tumour-cnr", title="Tumour CNR", reduce=_as_it_is, needs=("tumour",))
def tumour_cnr(image: np.ndarray, denoised: np.ndarray, *, tumour: np.ndarray) -> float:
    """Contrast of tumour and surroundings over the noise that is left in both.

    ``|mean(tumour) - mean(surroundings)|`` of the denoised image over the standard deviation of
    its error there. Core and rim are the tumour, and the surroundings are a band of a sixteenth of
    the image around it and its oedema. NaN where the image shows no tumour; infinite without error.

    References
    ----------
    V. A. Magnotta and L. Friedman, "Measurement of signal-to-noise and contrast-to-noise in the
    fBIRN multicenter imaging study", Journal of Digital Imaging 19(2), 2006; the noise is known
    here, as the clean image is.
    """
    inside = _inside(tumour)
    band = scipy.ndimage.binary_dilation(tumour > 0, iterations=max(1, max(tumour.shape) // 16))
    around = band & (tumour == 0)
    if not (inside.any() and around.any()):
        return float("nan")
    contrast = abs(float(denoised[inside].mean() - denoised[around].mean()))
    noise = float(np.std((denoised - image)[inside | around]))
    return contrast / noise if noise else float("inf")


@metric("tumour-bias", title="Tumour bias", better="lower", reduce=_as_it_is, needs=("tumour",))
def tumour_bias(image: np.ndarray, denoised: np.ndarray, *, tumour: np.ndarray) -> float:
    """Magnitude of the mean error in the tumour's core and rim, as a fraction of full scale."""
    inside = _inside(tumour)
    return abs(float((denoised - image)[inside].mean())) if inside.any() else float("nan")


def _inside(tumour: np.ndarray) -> np.ndarray:
    return (tumour > 0) & (tumour != _OEDEMA)
