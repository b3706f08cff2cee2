"""The data sets that a config can name, and any folder of images."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path

from denobench import images
from denobench.datasets import clusters, simulated
from denobench.datasets.base import Dataset, FileItem, SimulatedItem, Unreadable
from denobench.errors import DenobenchError
from denobench.files import digest
from denobench.progress import Progress
from denobench.registry import Registry

REGISTRY = Registry(
    "denobench.datasets",
    "data set",
    lambda found: (
        (found.data_set, found) if isinstance(getattr(found, "data_set", None), str) else None
    ),
)


SIMULATED_REMARK = (
    "The simulated set is one averaged anatomy: it demonstrates the tool and ranks nothing."
)
BRAIN_TUMOR_HANDLE = "navoneel/brain-mri-images-for-brain-tumor-detection"
# What lies in data folders beside images and is not worth a warning.
_NOT_IMAGES = {".txt", ".md", ".csv", ".json", ".xml", ".html", ".pdf", ".sha256", ".yaml"}


def open_dataset(name: str, folder: Path | None, *, progress: Progress | None = None) -> Dataset:
    """Return the data set that a config names.

    Parameters
    ----------
    name
        A registered data set, or ``folder`` for the images of ``folder``.
    folder
        Where its files lie; needed by ``folder`` only.
    progress
        Told how many images of how many are read or generated.

    Raises
    ------
    DenobenchError
        If the name is unknown, or its images cannot be found.
    """
    if name == "folder":
        if folder is None:
            raise DenobenchError("dataset: folder needs --data FOLDER (or data: in the config).")
        return open_folder(folder, progress=progress)
    return REGISTRY.load(name)(folder, progress=progress)


def open_folder(
    folder: Path, *, name: str | None = None, progress: Progress | None = None
) -> Dataset:
    """Return the images of a folder and its sub-folders; a sub-folder's name is the label.

    A file that cannot be read is listed with its reason, and the others are used.

    Raises
    ------
    DenobenchError
        If the folder is missing or holds no readable image.
    """
    if not folder.is_dir():
        raise DenobenchError(f"Data folder {folder} does not exist or is not a folder.")
    paths = sorted(path for path in folder.rglob("*") if _may_be_image(path, folder))
    readable: list[tuple[Path, str]] = []
    unreadable: list[Unreadable] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, (path, found) in enumerate(zip(paths, pool.map(_probe, paths), strict=True), 1):
            relative = path.relative_to(folder).as_posix()
            if isinstance(found, DenobenchError):
                unreadable.append(Unreadable(relative, str(found).removeprefix(f"{path}: ")))
            else:
                readable.append((path, found))
            if progress:
                progress(done, len(paths))
    if not readable:
        detail = f" ({len(unreadable)} files, none of them an image)" if unreadable else ""
        raise DenobenchError(f"Data folder {folder} holds no readable image{detail}.")
    names = clusters.cluster([path for path, _ in readable])
    items = tuple(
        FileItem(
            id=path.relative_to(folder).as_posix(),
            label=path.parent.relative_to(folder).as_posix() if path.parent != folder else "",
            cluster=cluster,
            digest=digest,
            path=path.resolve(),
        )
        for (path, digest), cluster in zip(readable, names, strict=True)
    )
    return Dataset(name or folder.resolve().name, items, tuple(unreadable))


def _may_be_image(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.is_file() and not hidden and path.suffix.lower() not in _NOT_IMAGES


def _probe(path: Path) -> str | DenobenchError:
    """Return the file's digest if it can be read, else the error."""
    try:
        images.read(path)
        return digest(path)
    except DenobenchError as error:
        return error


def simulated_set(folder: Path | None, *, progress: Progress | None = None) -> Dataset:
    """Return the simulated default, generated into the cache the first time."""
    if folder is not None:
        raise DenobenchError(
            f"dataset: simulated has no folder, but {folder} was given; "
            "use dataset: folder or --data FOLDER."
        )
    simulated.images(progress=progress)
    items = tuple(
        SimulatedItem(
            id=found.name,
            label=found.label,
            cluster=found.slab,
            digest=simulated.digest(found),
            part=found.part,
            index=found.index,
        )
        for found in simulated.slices()
    )
    return Dataset("simulated", items, remark=SIMULATED_REMARK)


def brain_tumor(folder: Path | None, *, progress: Progress | None = None) -> Dataset:
    """Return "Brain MRI Images for Brain Tumor Detection" (Chakrabarty, 2019).

    Found in the folder given, in ``$DENOBENCH_DATA``, or downloaded through kagglehub; checked
    against the digests of its 253 files.

    Raises
    ------
    DenobenchError
        If it is in none of these places, or its files are not those of the set.
    """
    found = _locate_brain_tumor(folder)
    wanted = _brain_tumor_digests()
    dataset = open_folder(found, name="brain-tumor", progress=progress)
    # The published archive holds a second copy of everything in a sub-folder of its own.
    items = tuple(item for item in dataset.items if item.label in ("yes", "no"))
    have = {item.id: item.digest for item in items}
    wrong = [name for name, digest in wanted.items() if have.get(name) != digest]
    if wrong:
        state = "missing or altered"
        raise DenobenchError(
            f"{found} is not the brain-tumor set: {len(wrong)} of its {len(wanted)} files are "
            f"{state} (first: {wrong[0]}). Use dataset: folder for other images."
        )
    return Dataset("brain-tumor", tuple(i for i in items if i.id in wanted), dataset.unreadable)


def _locate_brain_tumor(folder: Path | None) -> Path:
    """Return the folder that holds ``yes`` and ``no``."""
    if folder is None and os.environ.get("DENOBENCH_DATA"):
        folder = Path(os.environ["DENOBENCH_DATA"])
    if folder is None:
        folder = _download_brain_tumor()
    for candidate in (folder, folder / "brain_tumor_dataset"):
        if (candidate / "yes").is_dir() and (candidate / "no").is_dir():
            return candidate
    raise DenobenchError(f"{folder} is not the brain-tumor set: it has no sub-folders yes and no.")


def _download_brain_tumor() -> Path:
    try:
        import kagglehub
    except ImportError:
        raise DenobenchError(_how_to_get("kagglehub is not installed")) from None
    try:
        return Path(kagglehub.dataset_download(BRAIN_TUMOR_HANDLE))
    except Exception as error:
        raise DenobenchError(_how_to_get(f"the download failed: {error}")) from error


def _how_to_get(reason: str) -> str:
    return (
        f"The brain-tumor set was not found ({reason}). Give its folder by --data FOLDER or "
        "$DENOBENCH_DATA, or let it be downloaded: pip install 'denobench[download]'. "
        f"It is the Kaggle data set {BRAIN_TUMOR_HANDLE}."
    )


def _brain_tumor_digests() -> dict[str, str]:
    """Return the SHA-256 of each file of the set by its name."""
    text = (resources.files("denobench.datasets") / "brain_tumor.sha256").read_text("utf-8")
    digests = {}
    for line in text.splitlines():
        digest, name = line.split(maxsplit=1)
        digests[name.lstrip("*").split("brain_tumor_dataset/")[-1]] = digest
    return digests
