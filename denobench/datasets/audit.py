"""What a folder of images holds, and what would spoil a comparison made with it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from denobench.datasets import volumes
from denobench.datasets.base import Dataset, FileItem, Unreadable
from denobench.datasets.folder import open_folder
from denobench.datasets.noisiness import background_spread, noise_of, residual_noise, span
from denobench.datasets.split import split
from denobench.progress import Progress
from denobench.readers import Stack

BLACK = 0.04  # of full scale: up to here a frame counts as black, since JPEG stains it


@dataclass(frozen=True)
class AuditedFile:
    """What is told of one readable file.

    Attributes
    ----------
    id, label, cluster, digest
        As in the data set.
    format, suffix_format
        What the content is, and what the suffix says; the latter is empty for unknown suffixes.
    mode, width, height
        Pillow's mode, and the size in pixels.
    frame
        Black rows and columns at the top, right, bottom and left, in pixels.
    sigma
        Residual noise as a fraction of full scale, see `audit`.
    high, clipped
        The file's value that is full scale, and the share of values outside.
    spacing, orientation, volume, whole
        Of a slice's volume: millimetres between slices, rows and columns, the plane in which it
        was acquired, which volume it is, and what that is called. Empty for pictures.
    identities
        Whether the header carries what tells a person.
    spread
        Of a volume's slice, how its background is spread, see `background_spread`.
    """

    id: str
    label: str
    cluster: str
    digest: str
    format: str
    suffix_format: str
    mode: str
    width: int
    height: int
    frame: tuple[int, int, int, int]
    sigma: float
    high: float = 255.0
    clipped: float | None = None
    spacing: tuple[float, float, float] | None = None
    orientation: str = ""
    volume: str = ""
    whole: str = ""
    identities: bool = False
    spread: float | None = None


@dataclass(frozen=True)
class Leak:
    """How many test images of plain random splits have another image of their slice in training.

    Attributes
    ----------
    mean, low, high
        Mean over the splits, and the interval that holds 95 % of them.
    test, splits
        Test images in a split, and how many splits were drawn.
    """

    mean: float
    low: float
    high: float
    test: int
    splits: int


@dataclass(frozen=True)
class Audit:
    """The findings about a folder.

    Attributes
    ----------
    folder
        Where the images lie.
    files
        The readable images, sorted by name.
    dataset
        The same as a data set, and what was left out of it.
    leak
        What a plain random split would leak.
    """

    folder: Path
    files: tuple[AuditedFile, ...]
    dataset: Dataset
    leak: Leak

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        """The files that cannot be used, and why."""
        return self.dataset.unreadable

    @property
    def copies(self) -> int:
        """How many files are exact copies of another: the files less the distinct ones."""
        return len(self.files) - len({file.digest for file in self.files})

    @property
    def clusters(self) -> int:
        """How many different slices the files show."""
        return len({file.cluster for file in self.files})

    @property
    def groups(self) -> dict[str, tuple[AuditedFile, ...]]:
        """The clusters of more than one file, the largest first."""
        found = defaultdict(list)
        for file in self.files:
            found[file.cluster].append(file)
        order = sorted(found, key=lambda name: (-len(found[name]), found[name][0].id))
        return {name: tuple(found[name]) for name in order if len(found[name]) > 1}

    @property
    def members(self) -> dict[str, tuple[tuple[AuditedFile, ...], ...]]:
        """The groups, each as its files and volumes; a volume is all of its slices."""
        found: dict[str, dict[str, list[AuditedFile]]] = {}
        for name, files in self.groups.items():
            apart: dict[str, list[AuditedFile]] = found.setdefault(name, defaultdict(list))
            for file in files:
                apart[file.volume or file.id].append(file)
        return {name: tuple(map(tuple, apart.values())) for name, apart in found.items()}

    @property
    def alike(self) -> dict[str, tuple[AuditedFile, ...]]:
        """The groups of more than one file or volume; a volume stands for itself by a slice."""
        return {
            name: tuple(slices[len(slices) // 2] for slices in apart)
            for name, apart in self.members.items()
            if len(apart) > 1
        }

    @property
    def conflicts(self) -> tuple[str, ...]:
        """The clusters whose files carry different labels."""
        return tuple(
            name for name, files in self.groups.items() if len({file.label for file in files}) > 1
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one line per readable file."""
        frame = pd.DataFrame([asdict(file) for file in self.files])
        sides = pd.DataFrame(
            frame.pop("frame").tolist(), columns=[f"frame_{side}" for side in _SIDES]
        )
        return pd.concat([frame, sides], axis=1)

    def table(self) -> dict[str, str]:
        """Return the findings in words, by topic."""
        files, leak = self.files, self.leak
        misnamed = sum(file.suffix_format not in ("", file.format) for file in files)
        sizes = {(file.width, file.height) for file in files}
        framed = [max(file.frame) for file in files if max(file.frame)]
        sigmas = [100 * file.sigma for file in files]
        return {
            "images": f"{len(files)} readable, {len(self.unreadable)} not",
            "labels": _counted(file.label or "none" for file in files),
            "formats": f"{_counted(file.format for file in files)}; "
            f"{misnamed} with the suffix of another format",
            "modes": _counted(file.mode for file in files),
            "sizes": f"{len(sizes)} different; width {_range(file.width for file in files)}, "
            f"height {_range(file.height for file in files)} pixels",
            "black frame": f"{len(framed)} images"
            + (f", up to {max(framed)} pixels wide" if framed else ""),
            "residual noise": f"median {np.median(sigmas):.2f} %, at most {max(sigmas):.2f} % "
            "of full scale",
            **self._volumes(),
            "exact copies": f"{self.copies} files are a copy of another",
            **self._likeness(),
            "label conflicts": ", ".join(self.conflicts) or "none",
            "leak": f"{leak.mean:.1f} of {leak.test} test images of a random split "
            f"({100 * leak.mean / max(leak.test, 1):.0f} %; 95 % of {leak.splits} splits: "
            f"{leak.low:.0f} to {leak.high:.0f})",
        }

    def _likeness(self) -> dict[str, str]:
        """Return what looks alike; nothing where clusters are subjects."""
        if self.dataset.clusters == "subjects":
            return {}
        several = any(file.volume for file in self.files)
        near = len({file.volume or file.digest for file in self.files}) - self.clusters
        return {
            "near-duplicates": f"{near} more {'files or volumes' if several else 'files'} show the "
            "slice of another",
            f"different {'slices or volumes' if several else 'slices'}": f"{self.clusters}, "
            f"{len(self.alike)} of them more than once",
        }

    def _volumes(self) -> dict[str, str]:
        """Return what is found of volumes and in headers; nothing of pictures."""
        found = {file.volume: file for file in self.files if file.volume}
        carrying = sum(file.identities for file in self.files)
        told = {}
        if found:
            sigmas = [
                100 * float(np.median([f.sigma for f in self.files if f.volume == volume]))
                for volume in found
            ]
            shares = [100 * (file.clipped or 0) for file in found.values()]
            told = {
                "volumes": f"{len(found)}, of {_range(_slices(self.files))} slices that are used",
                "subjects": str(self.clusters)
                if self.dataset.clusters == "subjects"
                else "not told",
                "spacing": _counted(
                    " x ".join(f"{gap:g}" for gap in file.spacing) + " mm"
                    if file.spacing
                    else "none"
                    for file in found.values()
                ),
                "orientation": _counted(file.orientation or "none" for file in found.values()),
                "full scale": f"{_range(round(file.high, 4) for file in found.values())}; at most "
                f"{max(shares):.2g} % of values clipped",
                "noise by volume": f"{min(sigmas):.2f} to {max(sigmas):.2f} % of full scale",
                "background": self._backgrounds(found),
            }
        if carrying:
            told["identities"] = (
                f"the headers of {carrying} images carry names, numbers, dates or free text"
            )
        return told

    def _backgrounds(self, volumes: Iterable[str]) -> str:
        """Return what the backgrounds of volumes say of their noise."""
        told = {
            "rician": "looks Rician",
            "half gaussian": "looks like the magnitude of Gaussian noise",
            "gaussian": "looks Gaussian",
            "several coils or no noise": "several coils' magnitude, or no noise",
            "masked": "masked or too small to tell",
        }
        return _counted(
            told[noise_of([file.spread for file in self.files if file.volume == volume])]
            for volume in volumes
        )

    def to_json(self) -> str:
        """Return everything as JSON."""
        content: dict[str, Any] = {
            "images": len(self.files),
            "copies": self.copies,
            "clusters": self.clusters,
            "groups": {name: [file.id for file in files] for name, files in self.groups.items()},
            "conflicts": self.conflicts,
            "leak": asdict(self.leak),
            "unreadable": [asdict(file) for file in self.unreadable],
            "notes": self.dataset.notes,
            "files": [asdict(file) for file in self.files],
        }
        return json.dumps(content, indent=2)


_SIDES = ("top", "right", "bottom", "left")


def audit(folder: Path, *, splits: int = 1000, progress: Progress | None = None) -> Audit:
    """Look at every file of a folder.

    Residual noise is the median absolute deviation of the finest diagonal wavelet coefficients of
    the head's rectangle (Donoho and Johnstone), zeros left out, as a fraction of full scale. It
    sees what changes from pixel to pixel: fine texture raises it; JPEG compression, smoothing and
    enlarging lower it. So it bounds how clean an image can be called, and is not the scanner's.

    Parameters
    ----------
    folder
        Images, sub-folders being their labels.
    splits
        How many plain random splits to draw for the leak.
    progress
        Told how many files of how many are looked at.

    Raises
    ------
    DenobenchError
        If the folder is missing or holds no readable image.

    References
    ----------
    D. L. Donoho and I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage",
    Biometrika 81, 1994.
    """
    looked: dict[tuple[object, ...], AuditedFile] = {}

    def look(item: FileItem, image: NDArray[np.float32], stack: Stack) -> None:
        looked[item.place] = _audited(item, image, stack)

    dataset = open_folder(folder, progress=progress, look=look)
    files = tuple(
        replace(looked[item.place], id=item.id, label=item.label, cluster=item.cluster)
        for item in dataset.items
        if isinstance(item, FileItem)
    )
    return Audit(folder, files, dataset, _leak(dataset, splits))


def _audited(item: FileItem, image: NDArray[np.float32], stack: Stack) -> AuditedFile:
    return AuditedFile(
        id=item.id,
        label=item.label,
        cluster=item.cluster,
        digest=item.digest,
        format=stack.format,
        suffix_format=Image.registered_extensions().get(item.path.suffix.lower(), ""),
        mode=stack.mode,
        width=image.shape[1],
        height=image.shape[0],
        frame=_frame(image),
        sigma=residual_noise(image),
        high=item.high,
        clipped=item.clipped,
        spacing=tuple(round(float(gap), 2) for gap in stack.spacing)  # type: ignore[arg-type]
        if stack.spacing
        else None,
        orientation="" if stack.affine is None else volumes.orientation(stack.affine),
        volume=f"{item.files[0].digest}:{item.stack}" if stack.volume else "",
        whole=item.whole if stack.volume else "",
        identities=stack.identities,
        spread=background_spread(image, item.low + image * (item.high - item.low))
        if stack.volume
        else None,
    )


def _frame(image: NDArray[np.float32]) -> tuple[int, int, int, int]:
    """Return how many rows and columns are black at the top, right, bottom and left."""
    height, width = image.shape
    (top, bottom), (left, right) = span(image > BLACK)
    return top, width - right, height - bottom, left


def _leak(dataset: Dataset, splits: int) -> Leak:
    """Draw plain random splits, as ``split: paper`` does, and count what each leaks."""
    drawn = [split(dataset, seed=seed, by="paper") for seed in range(splits)]
    leaks = [each.leaks for each in drawn]
    low, high = np.percentile(leaks, [2.5, 97.5])
    return Leak(float(np.mean(leaks)), float(low), float(high), len(drawn[0].test), splits)


def _counted(values: Any) -> str:
    """Return each value with how often it occurs, the most frequent first."""
    return ", ".join(f"{value} {count}" for value, count in Counter(values).most_common())


def _slices(files: Sequence[AuditedFile]) -> list[int]:
    """Return how many slices each volume has."""
    return list(Counter(file.volume for file in files if file.volume).values())


def _range(values: Any) -> str:
    found = sorted(values)
    return f"{found[0]} to {found[-1]}"
