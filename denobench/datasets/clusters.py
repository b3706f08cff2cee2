"""Which images show the same slice: copies, also rescaled, recropped or re-encoded ones.

Every image is first reduced to its head, scaled to one size. Pairs that might be the same are found
by two cheap signatures, compared for all images at once by a matrix product:

- the perceptual hash of the head (``imagehash.phash``), good enough for copies that were rescaled,
  re-encoded or brightened; not for recrops, whose head is a part of the other's;
- aggregated local features (VLAD), which change little when a border of the picture goes.

A candidate pair counts only if it can be registered: local features that agree on one affine map,
under which the edges of one picture lie on the edges of the other. Different heads, neighbouring
slices of one head (5 mm apart or more), and a slice in another weighting (T1, T2, FLAIR) do not
pass. Mirrored copies are not looked for.

References
----------
D. G. Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 60, 2004.
R. Arandjelovic and A. Zisserman, "Three things everyone should know to improve object retrieval",
CVPR 2012 (the square root of SIFT).
H. Jegou et al., "Aggregating local descriptors into a compact image representation", CVPR 2010.
E. Haber and J. Modersitzki, "Intensity gradient based registration and fusion of multi-modal
images", MICCAI 2006 (normalised gradient fields).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import scipy
from numpy.typing import NDArray
from PIL import Image
from threadpoolctl import threadpool_limits

from denobench import images, seeds
from denobench.cache import OnDisk, cache_folder, writing
from denobench.files import digest_of, write_text
from denobench.progress import Progress

VERSION = 2  # enters the cache's key: goes up when other groups may come out

SIDE = 200  # pixels of the longer side of a head
KEYPOINTS = 300
WORDS = 64  # of the codebook of local features
BLOCK = 256  # images that are compared with all others at a time
NEIGHBOURS = 16  # candidates per image by local features
HASH_DISTANCE = 8  # of 64 bits: candidates by perceptual hash
RATIO = 0.88  # of the distances to the best and the second-best match
TOLERANCE = 3.0  # pixels by which a match may miss the affine map
INLIERS = 25  # matches that must agree on the map
OVERLAP = 0.4  # of the smaller head
AGREEMENT = 0.75  # correlation of the gradient fields


@dataclass(frozen=True)
class Head:
    """What is kept of an image for the comparison."""

    pixels: NDArray[np.uint8]  # (H, W), the longer side SIDE
    inside: NDArray[np.uint8]  # (H, W), 1 in the head but for its rim
    points: NDArray[np.float32]  # (N, 2), x and y
    features: NDArray[np.uint8]  # (N, 128)
    hash: NDArray[np.bool_]  # (64,)


class Finder:
    """Finds out which images show the same slice.

    The names of clusters depend on the images' contents alone, not on their order or place. They
    are kept in the cache, so that the same images are compared once.

    Parameters
    ----------
    source
        What the images come from, such as the digests of their files: names the entry in the cache.

    Attributes
    ----------
    known
        The clusters of these images, from the cache; then no image needs to be added.
    """

    def __init__(self, source: Iterable[str]) -> None:
        key = digest_of([VERSION, *sorted(set(source))])
        self._file = cache_folder() / "clusters" / f"{key}.json"
        self.known = _read(self._file)
        self._heads: OnDisk[Head] = OnDisk()
        self._keys: list[str] = []

    def add(self, key: str, head: Head) -> None:
        """Add an image by its digest; one that is there already is not added again."""
        if key not in self._keys:
            self._keys.append(key)
            self._heads.append(head)

    def names(self, *, progress: Progress | None = None) -> dict[str, str]:
        """Name for every image, by its digest, the cluster that it belongs to.

        Parameters
        ----------
        progress
            Told how many of how many images are compared.

        Returns
        -------
        dict of str and str
            ``c-`` and ten hexadecimal digits: the smallest digest of the cluster.

        Raises
        ------
        DenobenchError
            If the cache cannot be written.
        """
        with closing(self._heads):
            if not self._keys:
                return self.known
            order = sorted(range(len(self._keys)), key=lambda number: self._keys[number])
            self._keys = [self._keys[number] for number in order]
            self._heads.arrange(order)
            # Many small products: threads would wait for each other longer than they compute.
            with threadpool_limits(1, user_api="blas"):
                groups = _group(self._heads, progress)
        self.known = name_groups(dict(zip(self._keys, groups.tolist(), strict=True)))
        content = {"digest": digest_of(self.known), "names": self.known}
        with writing(self._file):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_text(self._file, json.dumps(content, indent=0))
        return self.known


def name_groups(groups: Mapping[str, Any], letter: str = "c") -> dict[str, str]:
    """Name each group of digests after its smallest one."""
    first: dict[Any, str] = {}
    return {
        digest: f"{letter}-{first.setdefault(groups[digest], digest)[:10]}"
        for digest in sorted(groups)
    }


def merged(names: Mapping[str, str], together: Iterable[Sequence[str]]) -> dict[str, str]:
    """Return names of clusters, with those put together that share images that belong together.

    Parameters
    ----------
    names
        Of each image's cluster, by its digest.
    together
        Digests of images that belong together, such as the pages of a file.
    """
    root = {name: name for name in names.values()}

    def of(name: str) -> str:
        while root[name] != name:
            name = root[name]
        return name

    for digests in together:
        found = sorted(of(names[digest]) for digest in digests if digest in names)
        for name in found[1:]:
            root[name] = found[0]
    return {digest: of(name) for digest, name in names.items()}


def _read(file: Path) -> dict[str, str]:
    """Return what the cache holds; nothing where it is missing or damaged."""
    try:
        content = json.loads(file.read_text("utf-8"))
        names = dict(content["names"])
        return names if content["digest"] == digest_of(names) else {}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def _group(heads: OnDisk[Head], progress: Progress | None) -> NDArray[np.int32]:
    """Return the number of the group of each of the images."""
    edges = []
    for first, seconds in enumerate(_candidates(heads)):
        head = heads[first]
        edges += [(first, second) for second in seconds if _same(head, heads[second])]
        if progress:
            progress(first + 1, len(heads))
    rows, columns = np.array(edges, int).reshape(-1, 2).T
    graph = scipy.sparse.coo_matrix((np.ones(len(rows)), (rows, columns)), (len(heads), len(heads)))
    return scipy.sparse.csgraph.connected_components(graph, directed=False)[1]


def head_of(image: NDArray[np.float32]) -> Head:
    """Cut out the head, scale it, and describe it."""
    import imagehash  # here, because groups that are cached need not wait for it

    small = _scaled(image, 256)
    mask = images.foreground(small)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    head = _scaled(small[box], SIDE)
    # The square root lifts dark tissue, and the 99.5th percentile ignores bright burnt-in text.
    white = max(float(np.percentile(head, 99.5)), 1e-6)
    pixels = np.round(np.sqrt(np.clip(head / white, 0, 1)) * 255).astype(np.uint8)
    shape = pixels.shape[::-1]
    filled = cv2.resize(mask[box].astype(np.uint8), shape, interpolation=cv2.INTER_NEAREST)
    points, features = _local_features(pixels)
    return Head(
        pixels=pixels,
        inside=cv2.erode(filled, np.ones((17, 17))).astype(np.uint8),
        points=points,
        features=features,
        hash=imagehash.phash(Image.fromarray(pixels)).hash.ravel(),
    )


def _scaled(image: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Scale an image until its longer side has so many pixels."""
    factor = side / max(image.shape)
    size = [max(round(length * factor), 8) for length in image.shape[::-1]]
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=how), np.float32)


def _local_features(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return upright SIFT keypoints and the square roots of their descriptors, as bytes."""
    sift = cv2.SIFT.create(contrastThreshold=0.01)
    found: dict[tuple[float, ...], cv2.KeyPoint] = {}
    for point in sorted(sift.detect(pixels, None), key=lambda point: -point.response):
        point.angle = 0  # heads are upright, and an upright descriptor tells more
        found.setdefault((*point.pt, point.size), point)
    points, features = sift.compute(pixels, list(found.values())[:KEYPOINTS])
    if not points:
        return np.empty((0, 2), np.float32), np.empty((0, 128), np.uint8)
    roots = np.sqrt(features / np.maximum(features.sum(1, keepdims=True), 1))
    return (
        np.array([point.pt for point in points], np.float32),
        np.minimum(np.round(roots * 512), 255).astype(np.uint8),
    )


def _candidates(heads: OnDisk[Head]) -> list[list[int]]:
    """Return for each image the later ones that it may show the same slice as."""
    signs = np.array([head.hash for head in heads], np.int8) * 2 - 1
    found: list[set[int]] = [set() for _ in range(len(heads))]
    with closing(OnDisk[NDArray[np.float32]]()) as blocks:
        for block in _aggregated(heads):
            blocks.append(block)
        start = 0
        for block in blocks:
            rows = range(start, start + len(block))
            start += len(block)
            nearness = np.concatenate([block @ other.T for other in blocks], axis=1)
            nearness[np.arange(len(rows)), rows] = -np.inf
            nearest = np.argsort(-nearness, axis=1, kind="stable")[:, :NEIGHBOURS]
            alike = signs[rows].astype(np.float32) @ signs.T >= signs.shape[1] - 2 * HASH_DISTANCE
            np.put_along_axis(alike, nearest, True, axis=1)
            for row, columns in zip(rows, alike, strict=True):
                for column in np.flatnonzero(columns).tolist():
                    found[min(row, column)].add(max(row, column))
    return [sorted(later - {row}) for row, later in enumerate(found)]


def _aggregated(heads: OnDisk[Head]) -> Iterator[NDArray[np.float32]]:
    """Yield one unit vector per image, in blocks: its features' residuals to a codebook's words."""
    words = _codebook(heads)
    for start in range(0, len(heads), BLOCK):
        block = np.zeros((min(BLOCK, len(heads) - start), WORDS * 128), np.float32)
        for offset, vector in enumerate(block if len(words) else ()):
            own = heads[start + offset].features.astype(np.float32)
            residuals = vector.reshape(WORDS, 128)
            nearest = scipy.cluster.vq.vq(own, words)[0] if len(own) else []
            np.add.at(residuals, nearest, own - words[nearest] if len(own) else 0)
            residuals /= np.maximum(np.linalg.norm(residuals, axis=1, keepdims=True), 1e-6)
            vector /= max(float(np.linalg.norm(vector)), 1e-6)
        yield block


def _codebook(heads: OnDisk[Head]) -> NDArray[np.float32]:
    """Return typical local features, (WORDS, 128); none if there are fewer features than that."""
    count = sum(len(head.features) for head in heads)
    if count < WORDS:
        return np.empty((0, 128), np.float32)
    step, passed, sample = max(1, count // 6_000), 0, []
    for head in heads:
        # As floats: a copy, which does not hold on to all features.
        sample.append(head.features[-passed % step :: step].astype(np.float32))
        passed += len(head.features)
    features = np.concatenate(sample)
    return scipy.cluster.vq.kmeans2(features, _first_words(features), iter=10, minit="matrix")[0]


def _first_words(features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Choose the words that k-means begins with, by k-means++.

    Those that SciPy's would choose, which takes the distances to all earlier words again each time.
    """
    rng = seeds.numbered(0)
    words = np.empty((WORDS, features.shape[1]))
    nearest = np.full(len(features), np.inf)
    chosen = int(rng.integers(len(features)))
    for number in range(WORDS):
        words[number] = features[chosen]
        distances = scipy.spatial.distance.cdist(words[[number]], features, "sqeuclidean")[0]
        nearest = np.minimum(nearest, distances)
        with np.errstate(invalid="ignore"):  # of features that are all alike
            shares = (nearest / nearest.sum()).cumsum()
        chosen = min(int(np.searchsorted(shares, rng.uniform())), len(features) - 1)
    return words


def _same(first: Head, second: Head) -> bool:
    """Tell whether two images show the same slice."""
    warp = _register(first, second)
    return warp is not None and _agreement(first, second, warp) >= AGREEMENT


def _register(first: Head, second: Head) -> NDArray[np.float64] | None:
    """Return the affine map, (2, 3), from the first image to the second, if there is a good one."""
    if min(len(first.features), len(second.features)) < INLIERS:
        return None
    one, two = (_unit(head.features) for head in (first, second))
    likeness = one @ two.T
    rows = np.arange(len(one))
    best = likeness.argmax(1)
    mutual = likeness.argmax(0)[best] == rows
    distance = np.sqrt(np.maximum(2 - 2 * likeness[rows, best], 0))
    likeness[rows, best] = -1
    second_distance = np.sqrt(np.maximum(2 - 2 * likeness.max(1), 0))
    chosen = np.flatnonzero(mutual & (distance < RATIO * second_distance))
    if len(chosen) < INLIERS:
        return None
    warp, agreeing = cv2.estimateAffine2D(
        first.points[chosen], second.points[best[chosen]], ransacReprojThreshold=TOLERANCE
    )
    if warp is None or agreeing.sum() < INLIERS:
        return None
    stretch = np.linalg.svd(warp[:, :2], compute_uv=False)
    return warp.astype(np.float64) if stretch[0] < 2.5 and stretch[1] > 0.4 else None


def _unit(features: NDArray[np.uint8]) -> NDArray[np.float32]:
    vectors = features.astype(np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1)


def _agreement(first: Head, second: Head, warp: NDArray[np.float64]) -> float:
    """Return the correlation of the gradient fields in the overlap; 0 if it is small."""
    height, width = first.pixels.shape

    def moved(pixels: NDArray[np.uint8], how: int) -> NDArray[np.uint8]:
        flags = how | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(pixels, warp, (width, height), flags=flags), np.uint8)

    common = (first.inside & moved(second.inside, cv2.INTER_NEAREST)) > 0
    smaller = min(first.inside.sum(), second.inside.sum() / abs(np.linalg.det(warp[:, :2])))
    if common.sum() <= OVERLAP * smaller:
        return 0.0
    one = _gradients(first.pixels)[:, common]
    two = _gradients(moved(second.pixels, cv2.INTER_LINEAR))[:, common]
    return float((one * two).sum() / np.sqrt((one**2).sum() * (two**2).sum()))


def _gradients(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the gradient's direction, (2, H, W), shorter than 1 where it is faint."""
    smooth = cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), 1.2)
    field = np.stack([cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)]) / 8
    faint = 5.0  # grey values per pixel
    return field / np.sqrt((field**2).sum(0) + faint**2)
