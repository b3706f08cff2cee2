"""How an outline compares with the true one: overlap, distance of borders, lesions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy  # its statistics, which take half a second, are imported when they are used
from scipy import ndimage

from denobench.statistics import CONFIDENCE, bootstrap_intervals, compare
from denobench.tasks.scores import POWER

SMALL_MM = 20.0  # diameter of a circle of the lesion's area
SMALL_SHARE = 1 / 8  # of the image's side, where no spacing is known
_TOUCHING = np.ones((3, 3))  # pixels that meet at a corner are of one lesion


def dice(answer: np.ndarray, truth: np.ndarray) -> float:
    """Return twice the common area over the sum of both; NaN where neither has a pixel.

    Parameters
    ----------
    answer, truth
        bool, (H, W).

    References
    ----------
    L. R. Dice, "Measures of the amount of ecologic association between species", Ecology 26(3),
    1945.
    """
    both = int(answer.sum()) + int(truth.sum())
    return 2 * int((answer & truth).sum()) / both if both else float("nan")


def hausdorff95(
    answer: np.ndarray, truth: np.ndarray, spacing: tuple[float, float] = (1.0, 1.0)
) -> float:
    """Return the 95 % Hausdorff distance; NaN where one of both has no pixel.

    The larger of the two 95th percentiles of the distances from the border of one to the nearest
    pixel of the border of the other; borders are the pixels with a neighbour above, below or beside
    them that is outside.

    Parameters
    ----------
    answer, truth
        bool, (H, W).
    spacing
        Between rows and between columns: the unit of the result.

    References
    ----------
    D. P. Huttenlocher et al., "Comparing images using the Hausdorff distance", IEEE PAMI 15(9),
    1993; the percentile as in B. H. Menze et al., "The multimodal brain tumor image segmentation
    benchmark (BRATS)", IEEE Transactions on Medical Imaging 34(10), 2015.
    """
    if not (answer.any() and truth.any()):
        return float("nan")
    one, two = _border(answer), _border(truth)
    there, back = (
        ndimage.distance_transform_edt(~target, sampling=spacing)[start]
        for start, target in ((one, two), (two, one))
    )
    return float(max(np.percentile(there, 95), np.percentile(back, 95)))


def _border(mask: np.ndarray) -> np.ndarray:
    return mask & ~ndimage.binary_erosion(mask)


def lesions(
    answer: np.ndarray, truth: np.ndarray, spacing: tuple[float, float] | None = None
) -> dict[str, int]:
    """Count an image's lesions, connected regions, and those that an answer misses and invents.

    Parameters
    ----------
    answer, truth
        bool, (H, W).
    spacing
        Millimetres between rows and between columns, where they are known.

    Returns
    -------
    dict
        ``lesions``; ``missed``, those without a common pixel with the answer; ``small`` and
        ``small_missed``, of a diameter below `SMALL_MM`, or `SMALL_SHARE` of the side; and
        ``invented``, regions of the answer that no lesion touches.
    """
    true, count = ndimage.label(truth, _TOUCHING)
    said, invented = ndimage.label(answer, _TOUCHING)
    names = np.arange(1, count + 1)
    found = np.isin(names, true[answer])
    pixel, limit = (1.0, SMALL_SHARE * max(truth.shape))
    if spacing is not None:
        pixel, limit = spacing[0] * spacing[1], SMALL_MM
    area = pixel * np.bincount(true.ravel(), minlength=count + 1)[1:]
    small = 2 * np.sqrt(area / np.pi) < limit
    touched = len(np.setdiff1d(np.unique(said[truth]), [0]))
    return {
        "lesions": count,
        "missed": int((~found).sum()),
        "small": int(small.sum()),
        "small_missed": int((small & ~found).sum()),
        "invented": invented - touched,
    }


def summarise(rows: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return scores of every model, regime, level and method, with tests against both references.

    Parameters
    ----------
    rows
        The rows of one task, as of `denobench.tasks.scores.summarise`, with the columns that a
        segmentation rates.
    seed
        Of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        ``dice`` and ``hd95``, means over clusters with ``NAME_low`` and ``NAME_high``; shares
        ``missed`` and ``small_missed`` of all lesions and of the small ones, ``invented`` per
        image, ``lesions``, ``small``, ``images``, ``clusters``, ``unit``, and for each reference
        ``REFERENCE_difference`` of the Dice, ``_low``, ``_high``, ``_p`` and ``_detectable``.
    """
    found = []
    for names, part in rows.groupby(["model", "regime", "noise", "level"], sort=False):
        means = part.groupby(["cluster", "method"])[["dice", "hd95"]].mean().unstack("method")
        overlap = means["dice"].dropna()
        where = dict(zip(("model", "regime", "noise", "level"), names, strict=True))
        for method in part["method"].unique():
            own = part[part["method"] == method]
            one = where | {"method": method, **_counts(own), "clusters": len(overlap)}
            for name, values in (("dice", overlap[method]), ("hd95", means["hd95", method])):
                given = values.dropna().to_numpy(float)
                ((low, high),) = bootstrap_intervals(given[None], seed=seed)
                value = float(given.mean()) if given.size else float("nan")
                one |= {name: value, f"{name}_low": low, f"{name}_high": high}
            for reference in ("noisy", "clean"):
                if method != reference and reference in overlap and len(overlap):
                    two = [overlap[each].to_numpy(float) for each in (method, reference)]
                    one |= _held(reference, two[0], two[1], seed)
            found.append(one)
    return pd.DataFrame(found)


def _counts(rows: pd.DataFrame) -> dict[str, object]:
    """Return lesions and images, and how many of them were missed and invented."""
    total = rows[["lesions", "missed", "small", "small_missed", "invented"]].sum()
    share = {
        name: float(total[name] / total[of]) if total[of] else float("nan")
        for name, of in (("missed", "lesions"), ("small_missed", "small"))
    }
    return {
        **share,
        "invented": float(total["invented"] / len(rows)),
        "lesions": int(total["lesions"]),
        "small": int(total["small"]),
        "images": len(rows),
        "unit": str(rows["unit"].iloc[0]),
    }


def _held(reference: str, values: np.ndarray, other: np.ndarray, seed: int) -> dict[str, float]:
    """Return the paired test of clusters' Dice, and what difference so many would show."""
    (held,) = compare(values[None], other, seed=seed)
    reach = scipy.stats.norm.ppf(1 - (1 - CONFIDENCE) / 2) + scipy.stats.norm.ppf(POWER)
    error = float(np.std(values - other, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
    told = {"difference": held.difference, "low": held.low, "high": held.high, "p": held.p}
    told["detectable"] = float(reach * error)
    return {f"{reference}_{name}": value for name, value in told.items()}
