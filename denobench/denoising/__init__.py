"""Denoise files as people have them: NIfTI volumes, DICOM series, pictures, arrays, folders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from denobench import images, readers
from denobench.datasets import listing
from denobench.denoising import arrays, pictures, series, volumes
from denobench.denoising.applying import Applied
from denobench.errors import DenobenchError
from denobench.progress import Progress
from denobench.readers import File

__all__ = ["Applied", "Written", "denoise_path"]


@dataclass(frozen=True)
class Written:
    """What was denoised: the file, or the folder of a series, and what the method was told.

    Attributes
    ----------
    target
        Where the answer lies.
    sigma
        As a fraction of full scale, which is a volume's or series' highest value; None where the
        method wants none.
    estimated
        Whether it was estimated.
    """

    target: Path
    sigma: float | None
    estimated: bool


@dataclass(frozen=True)
class _Job:
    """What belongs together: a volume or picture, or the files of one series."""

    reader: str
    sources: tuple[Path, ...]
    targets: tuple[Path, ...]

    def carry_out(
        self, applied: Applied, progress: Progress
    ) -> tuple[Written, list[tuple[Path, str]]]:
        """Denoise it; return what was written, and which of its files are left out."""
        wrong: list[tuple[Path, str]] = []
        if self.reader == "dicom":
            told, wrong = series.denoise(self.sources, self.targets, applied, progress)
        elif self.reader == "neuro":
            told = volumes.denoise(self.sources, self.targets[0], applied, progress)
        elif self.reader == "numpy":
            told = arrays.denoise(self.sources[0], self.targets[0], applied, progress)
        elif self.reader == "pictures":
            told = pictures.denoise(self.sources[0], self.targets[0], applied, progress)
        else:
            raise DenobenchError(
                f"{self.sources[0]}: is read, but not written: save it as NIfTI or .npy first."
            )
        where = self.targets[0] if len(self.targets) == 1 else self.targets[0].parent
        return Written(where, told.sigma, told.estimated), wrong

    def is_fault_of(self, error: DenobenchError) -> bool:
        """Return whether an error is about one of its files."""
        return str(error).startswith(tuple(f"{path}: " for path in self.sources))


def denoise_path(
    source: Path,
    target: Path,
    applied: Applied,
    *,
    progress: Progress,
    say: Callable[[str], None],
) -> list[Written]:
    """Denoise a picture, a volume, an array, a DICOM series or a folder of these into another.

    2-D methods denoise slices as they are stored, on all cores, and 3-D methods volumes; all of a
    file or series with one sigma. NIfTI keeps affine, header, type and scaling. DICOM gets new UIDs
    and says that it is derived, and how; the rest of its header, the patient's data included,
    stays as DICOM asks.

    Parameters
    ----------
    source, target
        Two files, or two folders.
    applied
        The method, and sigma where it is known.
    progress
        Told how many slices of how many are denoised.
    say
        Told what of a folder is left out.

    Raises
    ------
    DenobenchError
        If a file cannot be read or written, the target is not of the source's kind, or a folder
        holds nothing that can be denoised.
    """
    if not source.is_dir():
        reader = readers.identify(File(source))
        job = _Job(reader, (*_beside(source, reader),), (target,))
        return [job.carry_out(applied, progress)[0]]
    named_as_file = target.name.lower().endswith((*images.SUFFIXES, *volumes.SUFFIXES, ".npy"))
    if not target.is_dir() and (target.exists() or named_as_file):
        raise DenobenchError(f"{target}: IN, {source}, is a folder, and OUT must be one, too.")
    jobs, left_out = _jobs(source, target)
    written: list[Written] = []
    for number, job in enumerate(jobs):

        def step(done: float, total: float, text: str = "", number: int = number) -> None:
            progress(number + done / total, len(jobs), text)

        _make(job.targets[0].parent)
        try:
            found, wrong = job.carry_out(applied, step)
        except DenobenchError as error:
            if not job.is_fault_of(error):
                raise
            left_out.append((job.sources[0], str(error)))
            continue
        written.append(found)
        left_out += wrong
    for path, why in left_out:
        reason = why.removeprefix(f"{path}: ").removesuffix(".")
        say(f"Left out {listing.below(path, source)}: {reason}.")
    if not written:
        raise DenobenchError(f"{source} holds no volume, DICOM image, picture or array.")
    return written


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DenobenchError(f"{folder}: cannot be made ({error.strerror}).") from None


def _beside(source: Path, reader: str) -> Iterator[Path]:
    """Yield a file, and what belongs to it: a header's values, or a header of values."""
    yield source
    group = readers.REGISTRY.load(reader).about(File(source)).group if reader == "neuro" else ""
    for path in sorted(source.parent.iterdir()) if group else ():
        if path != source and path.is_file():
            other = readers.REGISTRY.load(reader).about(File(path)).group
            if other == group:
                yield path


def _jobs(source: Path, target: Path) -> tuple[list[_Job], list[tuple[Path, str]]]:
    """Return what a folder holds together, and what can be read by nobody."""
    found: dict[tuple[str, ...], list[Path]] = defaultdict(list)
    left_out: list[tuple[Path, str]] = []
    for path in listing.look(source).paths:
        try:
            reader = readers.identify(File(path))
            group = readers.REGISTRY.load(reader).about(File(path)).group
            found[reader, str(path.parent), group or path.name].append(path)
        except DenobenchError as error:
            if not listing.lies_beside(path, str(error)):
                left_out.append((path, str(error)))
    jobs = [
        _Job(reader, tuple(paths), tuple(_targets(reader, paths, source, target)))
        for (reader, *_), paths in found.items()
    ]
    return jobs, left_out


def _targets(reader: str, sources: Sequence[Path], source: Path, target: Path) -> Iterator[Path]:
    """Yield where the answers of files go: the same places below the target."""
    known = {
        "neuro": volumes.target_of,
        "numpy": arrays.target_of,
        "pictures": pictures.target_of,
    }
    named = known.get(reader, str)
    for path in sources[:1] if reader == "neuro" else sources:
        yield (target / path.relative_to(source)).with_name(named(path.name))
