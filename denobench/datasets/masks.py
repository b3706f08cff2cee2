"""Masks of tumours that a user has: found by the images' names, and checked against them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import replace
from pathlib import Path, PurePosixPath

from denobench import readers
from denobench.datasets import listing, volumes
from denobench.datasets.base import Dataset, FileItem, Item, Outline
from denobench.errors import DenobenchError, reason
from denobench.files import digest
from denobench.progress import Progress
from denobench.readers import File, Stack

# What a mask's name may have behind the image's.
_ENDINGS = re.compile(r"[-_ ]?(?:mask|seg|segmentation|label|roi|dseg)$", re.IGNORECASE)
_ENTITY = re.compile(r"([a-z]+)-([A-Za-z0-9]+)")
# Entities of a derivative that say what the mask is, and not of which image.
_OWN = ("label", "desc", "space", "res")
_MASKS = ("mask", "dseg")


def with_masks(dataset: Dataset, folder: Path, *, progress: Progress | None = None) -> Dataset:
    """Return a data set whose images have their masks.

    A picture's mask has the path of the image below its folder, with any suffix, and perhaps
    ``_mask`` or ``_seg`` behind it. A BIDS derivative ``sub-01/.../sub-01_..._mask.nii.gz`` is that
    of the image of the same subject whose entities it shares, wherever the folder has it. An image
    without a mask is kept, and is not known to have no tumour.

    Parameters
    ----------
    dataset
        Of images in files.
    folder
        Of the masks.
    progress
        Told how many masks are read.

    Raises
    ------
    DenobenchError
        If the folder is missing, no mask belongs to an image, two belong to one, or one has not
        its image's shape.
    """
    if not folder.is_dir():
        raise DenobenchError(f"masks: {folder} does not exist or is not a folder.")
    if not all(isinstance(item, FileItem) for item in dataset.items):
        raise DenobenchError(
            f"masks: {dataset.name} has no files that {folder} could belong to; leave masks out."
        )
    paths = [p for p in listing.look(folder).paths if p.suffix.lower() not in listing.BESIDE]
    images: dict[str, list[FileItem]] = defaultdict(list)
    here = {path.absolute() for path in paths}
    items = [item for item in dataset.items if not _is_mask(item, here)]
    for item in items:
        assert isinstance(item, FileItem)
        images[_file_of(item)].append(item)
    found = _matched([*images], paths, folder)
    if not found:
        raise DenobenchError(
            f"masks: of the {len(paths)} files in {folder} none has the name of an image, such as "
            f"{next(iter(images), 'image.png')}; a mask is called like its image, or is a BIDS "
            "derivative sub-*/..._mask.nii.gz."
        )
    outlined: dict[str, FileItem] = {}
    for done, (name, path) in enumerate(found.items(), 1):
        outlined |= {item.id: item for item in _outlined(images[name], path)}
        if progress:
            progress(done, len(found))
    without = len(items) - len(outlined)
    notes = [f"{without} of {len(items)} images have no mask in {folder}."] if without else []
    known = tuple(outlined.get(item.id, item) for item in items)
    return replace(dataset, items=known, notes=(*dataset.notes, *notes))


def _is_mask(item: Item, masks: Set[Path]) -> bool:
    """Whether an image is one of the masks, whose folder lies in that of the images."""
    return isinstance(item, FileItem) and item.path in masks


def _file_of(item: FileItem) -> str:
    """Return the path of an image's file below the data set's folder."""
    return item.id.partition("#")[0]


def _stem(name: str) -> str:
    """Return a path without its suffixes, and without what marks a mask."""
    path = PurePosixPath(name)
    stem = path.name.removesuffix(".gz")
    stem = PurePosixPath(stem).stem if "." in stem else stem
    return (path.parent / _ENDINGS.sub("", stem)).as_posix().casefold()


def _matched(images: Sequence[str], paths: Sequence[Path], folder: Path) -> dict[str, Path]:
    """Return the mask's file by the image's."""
    named: dict[str, list[Path]] = defaultdict(list)
    derived: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        named[_stem(listing.below(path, folder))].append(path)
        entities, suffix = _entities(path.name)
        if suffix in _MASKS and "sub" in entities:
            derived[entities["sub"]].append(path)
    found = {}
    for image in images:
        candidates = named.get(_stem(image), [])
        if not candidates:
            own, _ = _entities(PurePosixPath(image).name)
            candidates = [p for p in derived.get(own.get("sub", ""), []) if _agrees(own, p)]
        if len(candidates) > 1:
            names = " and ".join(listing.below(path, folder) for path in candidates[:2])
            raise DenobenchError(f"masks: {names} are both of the image {image}; keep one of them.")
        if candidates:
            found[image] = candidates[0]
    return found


def _entities(name: str) -> tuple[dict[str, str], str]:
    """Return the BIDS entities of a file's name, and the suffix behind them."""
    stem = name.partition(".")[0]
    return dict(_ENTITY.findall(stem)), stem.rpartition("_")[2]


def _agrees(image: dict[str, str], mask: Path) -> bool:
    """Whether a derivative says nothing else of its image than the image's name does."""
    said, _ = _entities(mask.name)
    return all(image.get(name) == value for name, value in said.items() if name not in _OWN)


def _outlined(items: Sequence[FileItem], path: Path) -> list[FileItem]:
    """Return the images of one file with their masks, or raise where the shapes differ."""
    place = path.absolute()
    try:
        file = File(place, digest(place))
        reader = readers.identify(file)
        stacks = volumes.stacks((file,), reader)
    except OSError as error:
        raise DenobenchError(f"{path}: the mask cannot be read ({reason(error)}).") from None
    found = []
    for item in items:
        stack = stacks[min(item.stack, len(stacks) - 1)]
        _check(item, stack, path)
        outline = Outline(file, reader, min(item.stack, len(stacks) - 1))
        found.append(replace(item, outline=outline))
    return found


def _check(item: FileItem, stack: Stack, path: Path) -> None:
    """Raise if a mask has not its image's shape, or not its slice."""
    own = _whole(item)
    if tuple(stack.shape) != own:
        raise DenobenchError(
            f"{path}: the mask has {_sides(stack.shape)} pixels, and its image {item.id} "
            f"{_sides(own)}; a mask has its image's pixels."
        )


def _whole(item: Item) -> tuple[int, ...]:
    """Return the shape of the stack that an image is in."""
    assert isinstance(item, FileItem)
    stacks = volumes.stacks(item.files, item.reader)
    return tuple(stacks[item.stack].shape)


def _sides(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape if shape[0] > 1 else shape[1:]))
