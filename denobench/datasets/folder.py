"""The images of a folder: every file looked at once, then subjects, near-duplicates and remarks."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from denobench import readers
from denobench.datasets import clusters, listing, volumes
from denobench.datasets.base import Dataset, FileItem, Unreadable, distinct
from denobench.datasets.survey import Look, Reading, Seen, Survey, survey
from denobench.errors import DenobenchError, unknown
from denobench.files import digest
from denobench.progress import Progress
from denobench.readers import File


def open_folder(
    folder: Path,
    reading: Reading | None = None,
    *,
    name: str | None = None,
    progress: Progress | None = None,
    look: Look | None = None,
    only: Callable[[str], bool] | None = None,
) -> Dataset:
    """Return the images of a folder and its sub-folders, or of a single file.

    A sub-folder's name is the label. A file that cannot be read is listed with its reason, and the
    others are used.

    Parameters
    ----------
    folder
        The folder, or a file.
    reading
        How files become images.
    name
        Of the data set; the folder's if left out.
    progress
        Told how many files of how many are read.
    look
        Told of every image while its pixels are there.
    only
        Function of a file's path below the folder that says whether it is looked at.

    Raises
    ------
    DenobenchError
        If the folder is missing or holds no readable image.
    """
    reading = reading or Reading()
    if reading.plane not in volumes.PLANES:
        raise unknown("plane", reading.plane, volumes.PLANES)
    listed, root = _listed(folder, only)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        seen, left_out, notes = _see(listed, root, pool)
        notes += _without_inner_copies(seen)
        finder = clusters.Finder([*(each.file.digest for each in seen), repr(reading)])
        surveys = list(_survey(seen, reading, finder, pool, progress=progress, look=look))
    left_out += [Unreadable(*wrong) for each in surveys for wrong in each.wrong]
    items = _clustered(surveys, finder)
    if not items:
        raise _nothing(folder, left_out)
    return Dataset(
        name or listing.shown(folder.resolve().name),
        tuple(sorted(items, key=lambda item: item.id)),
        tuple(sorted(left_out, key=lambda each: each.path)),
        notes=(*listed.notes, *notes, *_remarks(surveys)),
        clusters="subjects" if all(each.subject for each in surveys if each.items) else "slices",
    )


def _listed(folder: Path, only: Callable[[str], bool] | None) -> tuple[listing.Listing, Path]:
    """Return what a folder holds, or of a single file that file, and the folder."""
    if only is not None and folder.is_dir():
        found = listing.look(folder)
        paths = tuple(path for path in found.paths if only(listing.below(path, folder)))
        return listing.Listing(paths, (), ()), folder
    if folder.is_file():
        return listing.Listing((folder,), (), ()), folder.parent
    if not folder.is_dir():
        raise DenobenchError(f"Data folder {folder} does not exist or is not a folder.")
    return listing.look(folder), folder


def _see(
    listed: listing.Listing, root: Path, pool: ThreadPoolExecutor
) -> tuple[list[Seen], list[Unreadable], list[str]]:
    """Return the files that a reader knows, the others, and a remark on what lies beside them."""
    seen: list[Seen] = []
    left_out = list(listed.left_out)
    beside = []
    found = pool.map(lambda path: _see_one(path, root), listed.paths)
    for path, each in zip(listed.paths, found, strict=True):
        if isinstance(each, Seen):
            seen.append(each)
        elif listing.lies_beside(path, each):
            beside.append(path.name)
        else:
            left_out.append(Unreadable(listing.below(path, root), each))
    return seen, left_out, [listing.remark(beside)] if beside else []


def _see_one(path: Path, root: Path) -> Seen | str:
    """Return what a file is, or why it cannot be read."""
    place = path.absolute()
    try:
        file = File(place, digest(place))
        reader = readers.identify(file)
        about = readers.REGISTRY.load(reader).about(file)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except DenobenchError as error:
        return str(error).removeprefix(f"{place}: ").removesuffix(".")
    return Seen(file, reader, listing.below(path, root), about.group, about.subject)


def _without_inner_copies(seen: list[Seen]) -> list[str]:
    """Drop what a folder holds that is a copy of all beside it, and say so."""
    copies = listing.inner_copies({each.name: each.file.digest for each in seen})
    seen[:] = [
        each for each in seen if not any(each.name.startswith(f"{inner}/") for inner in copies)
    ]
    return [
        f"{inner}/ holds a second copy of all that lies beside it ({count} files), and is left out."
        for inner, count in copies.items()
    ]


def _survey(
    seen: Iterable[Seen],
    reading: Reading,
    finder: clusters.Finder,
    pool: ThreadPoolExecutor,
    *,
    progress: Progress | None,
    look: Look | None,
) -> Iterator[Survey]:
    """Read every file once and yield what is kept of it; what is compared goes to the finder."""
    groups: dict[tuple[str, ...], list[Seen]] = defaultdict(list)
    for each in seen:
        place = (str(each.file.path.parent), each.group) if each.group else (each.name,)
        groups[each.reader, *place].append(each)
    compare = not finder.known

    def read(group: list[Seen]) -> Survey:
        return survey(group, reading, compare=compare, look=look)

    for done, found in enumerate(pool.map(read, groups.values()), 1):
        for key, head in found.heads:
            finder.add(key, head)
        yield replace(found, heads=())
        if progress:
            progress(done, len(groups))


def _clustered(surveys: Sequence[Survey], finder: clusters.Finder) -> list[FileItem]:
    """Return all images with their clusters: subjects, else near-duplicates."""
    subjects = {item.digest: each.subject for each in surveys for item in each.items}
    by_subject = clusters.name_groups({d: s for d, s in subjects.items() if s}, "s")
    unknown = [each for each in surveys if each.items and not each.subject]
    names = dict(finder.names()) if unknown else {}
    # All slices of a volume, and all pages of a file, are on one side of a split.
    for each in unknown:
        known = [names[item.digest] for item in each.items if item.digest in names]
        for item in each.items:
            names.setdefault(item.digest, known[0] if known else f"c-{item.digest[:10]}")
    names = clusters.merged(names, [[item.digest for item in each.items] for each in unknown])
    names |= by_subject
    items = distinct(
        replace(item, cluster=names[item.digest]) for each in surveys for item in each.items
    )
    return _without_places(items, surveys)


def _without_places(items: list[FileItem], surveys: Sequence[Survey]) -> list[FileItem]:
    """Drop labels of volumes where each is the place of one subject or volume alone."""
    if not any(each.volume for each in surveys):
        return items
    held: dict[str, set[str]] = defaultdict(set)
    for item in items:
        held[item.label].add(item.cluster)
    if len(held) > 1 and min(len(each) for each in held.values()) > 1:
        return items
    return [replace(item, label="") for item in items]


def _nothing(folder: Path, left_out: Sequence[Unreadable]) -> DenobenchError:
    """Return the error of a folder without images, with the commonest reason."""
    detail = ""
    if left_out:
        ((why, _),) = Counter(each.reason for each in left_out).most_common(1)
        path = next(each.path for each in left_out if each.reason == why)
        detail = f": of {len(left_out)} files none can be used, such as {path}: {why}"
    return DenobenchError(f"Data folder {folder} holds no readable image{detail}.")


def _remarks(surveys: Sequence[Survey]) -> list[str]:
    """Return what must be said of scales, slices and subjects."""
    found = []
    empty, further = (sum(getattr(each, name) for each in surveys) for name in ("empty", "further"))
    if empty:
        found.append(f"{empty} slices with next to nothing in them are left out.")
    if further:
        found.append(
            f"{further} further volumes of 4-D files or series are left out; slices.volumes: all "
            "uses them."
        )
    anonymous = sum(bool(each.items) and not each.subject for each in surveys)
    if anonymous and any(each.subject for each in surveys):
        found.append(
            f"{anonymous} of {len(surveys)} files or series tell no subject, and count as others."
        )
    return found + _shallow([each for each in surveys if each.bits])


def _shallow(deep: Sequence[Survey]) -> list[str]:
    """Return a remark on 16-bit pictures whose values use fewer bits."""
    bits = max((each.bits for each in deep), default=16)
    if bits >= 16:
        few = [each for each in deep if each.bits <= 12]
        if not few:
            return []
        return [
            f"{len(few)} of {len(deep)} pictures of 16 bits use 12 bits or fewer (such as "
            f"{few[0].seen[0].name}), and others all 16: one scale cannot be right for both; "
            "scale: max, or percentile:99.9, gives each its own."
        ]
    share = (2**bits - 1) / 65535
    return [
        f"No value of the {len(deep)} pictures of 16 bits is above {2**bits - 1}: they hold {bits} "
        f"bits, and use {100 * share:.2g} % of full scale. If that is their full scale, "
        f'say so: --set "scale=[0,{2**bits - 1}]".'
    ]
