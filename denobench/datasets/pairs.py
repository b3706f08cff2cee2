"""Measured noise: noisy images with their references, or without any."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from denobench import images
from denobench.datasets import listing
from denobench.datasets.base import Dataset, FileItem, Item, Observation, Unreadable
from denobench.datasets.folder import open_folder
from denobench.datasets.patterns import Sides
from denobench.datasets.survey import Reading
from denobench.errors import DenobenchError
from denobench.noise import REGISTRY as NOISES
from denobench.progress import Progress
from denobench.scale import Scaling

SHIFT = 0.5  # pixels by which a pair may be displaced
FACTOR, OFFSET = 0.1, 0.02  # by which intensities of a pair may differ, the offset of full scale
CHECKED = 20  # images that estimates and checks are taken from
_SUFFIX = re.compile(r"(\.nii|\.mgh|\.mgz)?(\.gz|\.bz2)?$|\.[A-Za-z0-9]{1,5}$")
# What tells acquisitions of one thing apart: BIDS's entities, or a number at the end.
_REPEAT = re.compile(r"_(?:acq|run|rec|desc|echo|part)-[A-Za-z0-9+]+|[-_ ]?(?:rep|run|avg|n)?\d+$")


@dataclass(frozen=True)
class PairItem(Item):
    """A measured image: one or more noisy acquisitions, with their reference or without.

    Attributes
    ----------
    noisy
        The acquisitions; the n-th is the n-th realisation.
    reference
        What answers are scored against, or None.
    """

    noisy: tuple[FileItem, ...] = ()
    reference: FileItem | None = None

    @property
    def realisations(self) -> int:
        """How many acquisitions there are."""
        return len(self.noisy)

    @property
    def volume(self) -> bool:
        """Whether it is a slice of a volume."""
        return self.noisy[0].volume

    @property
    def scaling(self) -> Scaling | None:
        """The scale of reference and noisy image, which is one."""
        return (self.reference or self.noisy[0]).scaling

    @property
    def rule(self) -> str:
        """The scale and plane of every part, and the files that they come from."""
        parts = [*filter(None, [self.reference]), *self.noisy]
        return " | ".join(f"{part.digest} {part.reading}" for part in parts)

    def read(self, size: int | None = None) -> np.ndarray:
        """Return the reference, or the first noisy image where there is none, clipped."""
        return (self.reference or self.noisy[0]).read(size)

    def acquired(self, size: int | None = None, realisation: int = 0) -> np.ndarray:
        """Return a noisy image alone, not clipped; the reference is not read."""
        return self.noisy[realisation].read_unclipped(size)

    def observe(self, size: int | None = None, realisation: int = 0) -> Observation:
        """Return reference and noisy image; the latter is not clipped."""
        return Observation(
            None if self.reference is None else self.reference.read(size),
            noisy=self.acquired(size, realisation),
            spacing=self.noisy[realisation].spacing,
        )


def open_pairs(
    data: Path,
    references: Path | Sides | None,
    reading: Reading | None = None,
    *,
    fit: bool = False,
    progress: Progress | None = None,
) -> Dataset:
    """Return measured images with their references.

    A file of ``references`` belongs to the files of ``data`` that have its path, or its name, or
    differ from it by a number at the end or by BIDS's entities ``acq``, ``run``, ``rec``, ``desc``,
    ``echo`` and ``part`` alone; a single reference belongs to all. Several noisy files of one
    reference are its realisations.

    Parameters
    ----------
    data
        Folder or file of noisy images.
    references
        Folder or file of the references; or what noisy files and references in ``data`` are called;
        None for none.
    reading
        How files become images; the scale of a pair is its reference's.
    fit
        Whether a factor and an offset between a pair's intensities are fitted and taken out.
    progress
        Told how many files of how many are read.

    Raises
    ------
    DenobenchError
        If a folder holds no image, or no noisy image has a reference.
    """
    reading = reading or Reading()
    if references is None:
        return _alone(open_folder(data, reading, progress=progress))
    clean, noisy, by_source = _opened(data, references, reading, progress)
    left_out = [*clean.unreadable, *noisy.unreadable]
    pairs: list[PairItem] = []
    for reference, acquisitions in by_source.matches:
        pairs += _pairs(reference, acquisitions, left_out)
    if not pairs:
        raise DenobenchError(
            f"No image of {data} has a reference: a pair needs one path or name in both folders, "
            "or names that agree as pairs says, and one shape."
        )
    left_out += [Unreadable(name, "has no reference") for name in by_source.alone]
    notes, fitted = _checked(pairs, fit=fit)
    notes += [f"{len(by_source.unused)} references have no noisy image."] * bool(by_source.unused)
    return Dataset(
        noisy.name,
        tuple(sorted(fitted, key=lambda item: item.id)),
        tuple(left_out),
        remark=_ceiling(fitted),
        notes=(*clean.notes, *noisy.notes, *notes),
        clusters=clean.clusters,
    )


def _opened(
    data: Path, references: Path | Sides, reading: Reading, progress: Progress | None
) -> tuple[Dataset, Dataset, _Matches]:
    """Return the references, the noisy images, and which belong to which."""
    # Which slices are used, the references say.
    all_slices = replace(reading, every=1, empty=True)
    if isinstance(references, Sides):
        own, other = references.reference, references.noisy
        clean = _side(data, own.wants, f"reference: {own.written!r}", reading, progress)
        noisy = _side(data, references.is_noisy, f"noisy: {other.written!r}", all_slices, progress)
        by_source = _belonging(clean, noisy, data, references)
    else:
        if data.resolve() == references.resolve():
            raise DenobenchError(
                f"{data} cannot be noisy and its own reference: name another folder by --reference."
            )
        clean = open_folder(references, reading, progress=progress)
        noisy = open_folder(data, all_slices, progress=progress)
        by_source = _matched(_by_source(clean, references), _by_source(noisy, data))
    return clean, noisy, by_source


def _alone(found: Dataset) -> Dataset:
    """Return a set of noisy images without references."""
    items = tuple(
        PairItem(i.id, i.label, i.cluster, i.digest, clipped=i.clipped, noisy=(i,))
        for i in found.items
        if isinstance(i, FileItem)
    )
    remark = (
        "There is no reference: SURE estimates the error, on the assumption of white Gaussian "
        "noise of the estimated sigma; no score here says how near an answer is to the truth."
    )
    return replace(found, items=items, remark=remark)


# Of a file or series: its images by stack, plane and number.
_Source = dict[tuple[int, str, int], FileItem]


@dataclass
class _Matches:
    matches: list[tuple[_Source, list[_Source]]]
    alone: list[str]
    unused: list[str]


def _by_source(found: Dataset, root: Path) -> dict[str, _Source]:
    """Return the images of each file or series, by its path below the folder, without suffix."""
    folder = (root if root.is_dir() else root.parent).absolute()
    sources: dict[str, _Source] = defaultdict(dict)
    for item in found.items:
        assert isinstance(item, FileItem)
        place = item.path.parent if len(item.files) > 1 else item.path
        name = place.relative_to(folder).as_posix()
        plain = name if len(item.files) > 1 else _SUFFIX.sub("", name, count=1)
        sources[plain][item.stack, item.plane, item.index] = item
    return dict(sources)


def _matched(clean: dict[str, _Source], noisy: dict[str, _Source]) -> _Matches:
    """Find the reference of every noisy source, by the first rule that gives exactly one."""
    rules = (
        lambda name: name,
        lambda name: Path(name).name,
        lambda name: _REPEAT.sub("", name),
        lambda name: _REPEAT.sub("", Path(name).name),
    )
    found: dict[str, list[str]] = defaultdict(list)
    alone = []
    for name in noisy:
        for rule in rules:
            candidates = [other for other in clean if rule(other) == rule(name)]
            if len(candidates) == 1:
                found[candidates[0]].append(name)
                break
        else:
            if len(clean) == 1:
                found[next(iter(clean))].append(name)
            else:
                alone.append(name)
    matches = [
        (clean[name], [noisy[other] for other in sorted(others)]) for name, others in found.items()
    ]
    return _Matches(matches, alone, sorted(set(clean) - set(found)))


def _side(
    data: Path,
    wants: Callable[[str], bool],
    told: str,
    reading: Reading,
    progress: Progress | None,
) -> Dataset:
    """Open the files of one side of the pairs.

    Raises
    ------
    DenobenchError
        If there is none.
    """
    if not data.is_dir():
        raise DenobenchError(f"pairs.{told}: {data} is no folder, in which files could be named.")
    names = [listing.below(path, data) for path in listing.look(data).paths]
    if not any(map(wants, names)):
        first = f", the first of which is {names[0]}" if names else ""
        raise DenobenchError(
            f"pairs.{told} is the name of no file of {data} ({len(names)} files{first})."
        )
    return open_folder(data, reading, progress=progress, only=wants)


def _belonging(clean: Dataset, noisy: Dataset, data: Path, sides: Sides) -> _Matches:
    """Find the reference of every noisy file by what their names say.

    Raises
    ------
    DenobenchError
        If one has several.
    """
    ours, theirs = (_by_file(found, data) for found in (clean, noisy))
    found: dict[str, list[str]] = defaultdict(list)
    alone = []
    for name in sorted(theirs):
        candidates = [other for other in ours if sides.belong(name, other)]
        if len(candidates) > 1:
            raise DenobenchError(
                f"pairs: {name} has several references, such as {' and '.join(candidates[:2])}: "
                "make the patterns say which."
            )
        if candidates:
            found[candidates[0]].append(name)
        else:
            alone.append(name)
    matches = [(ours[name], [theirs[n] for n in others]) for name, others in found.items()]
    return _Matches(matches, alone, sorted(set(ours) - set(found)))


def _by_file(found: Dataset, root: Path) -> dict[str, _Source]:
    """Return the images of each file, or series, by its (first) path below the folder."""
    sources: dict[str, _Source] = defaultdict(dict)
    for item in found.items:
        assert isinstance(item, FileItem)
        name = listing.below(item.path, root.absolute())
        sources[name][item.stack, item.plane, item.index] = item
    return dict(sources)


def _pairs(
    reference: _Source, acquisitions: Sequence[_Source], left_out: list[Unreadable]
) -> list[PairItem]:
    """Return the pairs of one reference, image by image."""
    found = []
    shapes: dict[int, str] = {}
    for place, clean in reference.items():
        chosen = []
        for number, source in enumerate(acquisitions):
            noisy = source.get(place)
            if noisy is None or number in shapes:
                continue
            if noisy.shape != clean.shape:
                shapes[number] = (
                    f"{'x'.join(map(str, noisy.shape))} pixels, and its reference has "
                    f"{'x'.join(map(str, clean.shape))}"
                )
                left_out.append(Unreadable(noisy.id, shapes[number]))
                continue
            # One scale for both, the reference's.
            chosen.append(
                replace(noisy, low=clean.low, high=clean.high, scale=clean.scale,
                        spacing=clean.spacing)
            )  # fmt: skip
        if chosen:
            first = chosen[0]
            found.append(
                PairItem(
                    first.id, clean.label, clean.cluster, first.digest,
                    clipped=clean.clipped, noisy=tuple(chosen), reference=clean,
                )
            )  # fmt: skip
    return found


def _checked(pairs: Sequence[PairItem], *, fit: bool) -> tuple[list[str], list[PairItem]]:
    """Look for displaced and differently scaled pairs; return remarks, and the pairs to use."""
    step = -(-len(pairs) // CHECKED)
    shifted, scaled = [], []
    for pair in pairs[::step]:
        seen = pair.observe()
        assert seen.reference is not None
        assert seen.noisy is not None
        factor, offset = _intensities(seen.reference, seen.noisy)
        if abs(factor - 1) > FACTOR or abs(offset) > OFFSET:
            scaled.append(f"{pair.id} (factor {factor:.2f}, offset {offset:+.2f})")
        if (shift := _shift(seen.reference, seen.noisy)) > SHIFT:
            shifted.append(f"{pair.id} ({shift:.1f} pixels)")
    notes = []
    looked = len(range(0, len(pairs), step))
    if shifted:
        notes.append(
            f"{len(shifted)} of {looked} pairs looked at are displaced, such as {shifted[0]}: "
            "register them first; their scores tell of the displacement."
        )
    if scaled:
        done = "fitted and taken out" if fit else "--set fit=true fits and takes it out"
        notes.append(
            f"{len(scaled)} of {looked} pairs looked at have another intensity scale than their "
            f"reference, such as {scaled[0]}: {done}."
        )
    return notes, [_refitted(pair) for pair in pairs] if fit else list(pairs)


def _refitted(pair: PairItem) -> PairItem:
    """Return a pair whose noisy images are brought to the reference's intensities."""
    fitted = []
    for number, noisy in enumerate(pair.noisy):
        seen = pair.observe(None, number)
        assert seen.reference is not None
        assert seen.noisy is not None
        factor, offset = _intensities(seen.reference, seen.noisy)
        span = noisy.high - noisy.low
        low = noisy.low + offset * span
        fitted.append(replace(noisy, low=low, high=low + factor * span))
    return replace(pair, noisy=tuple(fitted))


def _intensities(reference: NDArray, noisy: NDArray) -> tuple[float, float]:
    """Return factor and offset of the noisy image's intensities over the reference's."""
    mask = images.foreground(reference)
    x, y = reference[mask].astype(np.float64), noisy[mask].astype(np.float64)
    if np.ptp(x) < 1e-6:
        return 1.0, 0.0
    factor, offset = np.polyfit(x, y, 1)
    return float(factor), float(offset)


def _shift(reference: NDArray, noisy: NDArray) -> float:
    """Return by how many pixels the noisy image is displaced."""
    from skimage.registration import phase_cross_correlation

    found, _, _ = phase_cross_correlation(reference, noisy, upsample_factor=10, normalization=None)
    return float(np.hypot(*found))


def measured_sigma(items: Sequence[Item]) -> float:
    """Return the median of the noise estimated in some of a set's images, of full scale."""
    estimate = NOISES.load("measured").estimate
    step = -(-len(items) // CHECKED)
    found = [estimate(seen) for item in items[::step] if (seen := item.observe().noisy) is not None]
    return float(np.median(found)) if found else 0.0


def _ceiling(pairs: Sequence[PairItem]) -> str:
    """Return what the references' own noise means for the scores."""
    from denobench.datasets.noisiness import residual_noise

    step = -(-len(pairs) // CHECKED)
    sigma = float(np.median([residual_noise(pair.read()) for pair in pairs[::step]]))
    if sigma < 1e-5:
        return "The references seem to be free of noise."
    return (
        f"The references have noise of their own, estimated as {100 * sigma:.2g} % of full scale: "
        f"a perfect answer would score about {-20 * np.log10(sigma):.1f} dB in PSNR, not more."
    )
