"""How noisy an image that counts as clean still is, and what its background says of the noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import skimage as ski
from numpy.typing import NDArray
from scipy import ndimage

from denobench import images


def span(mask: NDArray[np.bool_]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the first row and the one after the last that hold something; so for the columns."""
    spans = []
    for axis in (1, 0):
        found = np.flatnonzero(mask.any(axis))
        spans.append((int(found[0]), int(found[-1]) + 1) if len(found) else (0, 0))
    return spans[0], spans[1]


def residual_noise(image: NDArray[np.float32]) -> float:
    """Estimate the noise that a clean image still has, inside its head's rectangle.

    Parameters
    ----------
    image
        float32, (H, W), in [0, 1].

    Returns
    -------
    float
        Standard deviation as a fraction of full scale; 0 for an image too small or too plain to
        tell.
    """
    rows, columns = span(images.foreground(image))
    head = image[slice(*rows), slice(*columns)]
    if min(head.shape) < 2 or np.ptp(head) == 0:
        return 0.0
    return float(ski.restoration.estimate_sigma(head))


_LEAST = 500  # pixels of background that can tell something
_ZEROS = 0.2  # share of exact zeros from which a background counts as cut off or masked
_MARGIN = 4  # pixels around the head that are left out, for ghosts and blur
# The interquartile range over the median of what noise leaves where there is no signal: 0.770 of
# Rayleigh's distribution, 1.233 of the magnitude of Gaussian noise, 0.510 of two coils' magnitude.
_SPREADS = ((0.63, "several coils or no noise"), (0.98, "rician"), (1.5, "half gaussian"))


def background_spread(image: NDArray[np.float32], values: NDArray[np.floating]) -> float | None:
    """Return the interquartile range over the median of an image's background.

    Parameters
    ----------
    image
        float32, (H, W), in [0, 1].
    values
        The same in the file's values, in which no signal is 0.

    Returns
    -------
    float or None
        Infinite where the median is not above zero. None where there is no background to speak of,
        or it is masked: zeros for the most part.
    """
    head = images.foreground(image)
    outside = values[~ndimage.binary_dilation(head, iterations=_MARGIN)]
    step = np.ptp(values) / 10_000  # what counts as 0 after rounding
    if outside.size < _LEAST or np.mean(np.abs(outside) < step) > _ZEROS:
        return None
    low, middle, high = np.percentile(outside, [25, 50, 75])
    return float((high - low) / middle) if middle > 0 else float("inf")


def noise_of(spreads: Sequence[float | None]) -> str:
    """Return what the backgrounds of a volume's slices say of its noise.

    ``rician`` where they are as Rayleigh's distribution, ``half gaussian`` and ``gaussian`` where
    they are as that or its magnitude, ``several coils or no noise`` where they are narrower, and
    ``masked`` where nothing can be told.

    References
    ----------
    H. Gudbjartsson and S. Patz, "The Rician distribution of noisy MRI data", Magnetic Resonance in
    Medicine 34(6), 1995: without signal it is Rayleigh's.
    """
    known = [spread for spread in spreads if spread is not None]
    if not known:
        return "masked"
    middle = float(np.median(known))
    return next((name for most, name in _SPREADS if middle < most), "gaussian")
