"""The data sets that a config can name, and any folder of images."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path

from denobench import files
from denobench.datasets import simulated
from denobench.datasets.base import Dataset, SimulatedItem
from denobench.datasets.folder import open_folder
from denobench.datasets.survey import Reading
from denobench.errors import DenobenchError
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
SIMULATED_LICENCE = "made by denobench from the ICBM 2009c maps, which are free to use"
BRAIN_TUMOR_HANDLE = "navoneel/brain-mri-images-for-brain-tumor-detection"


def open_dataset(
    name: str,
    folder: Path | None,
    reading: Reading | None = None,
    *,
    progress: Progress | None = None,
) -> Dataset:
    """Return the data set that a config names.

    Parameters
    ----------
    name
        A registered data set, or ``folder`` for the images of ``folder``.
    folder
        Where its files lie; needed by ``folder`` only.
    reading
        How the files of ``folder`` become images.
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
        return open_folder(folder, reading, progress=progress)
    return REGISTRY.load(name)(folder, progress=progress)


def simulated_set(
    folder: Path | None,
    *,
    progress: Progress | None = None,  # noqa: ARG001
) -> Dataset:
    """Return the simulated default, whose slices are drawn when they are first read."""
    if folder is not None:
        raise DenobenchError(
            f"dataset: simulated has no folder, but {folder} was given; "
            "use dataset: folder or --data FOLDER."
        )
    simulated.read(0)  # so that a cache that cannot be written is known before anything else
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
    return Dataset("simulated", items, remark=SIMULATED_REMARK, licence=SIMULATED_LICENCE)


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
    there = [name for name in wanted if (found / name).is_file()]
    _check_brain_tumor(found, wanted, {name: files.digest(found / name) for name in there})
    dataset = open_folder(found, name="brain-tumor", progress=progress)
    items = tuple(item for item in dataset.items if item.id in wanted)
    _check_brain_tumor(found, wanted, {item.id: item.digest for item in items})
    return Dataset("brain-tumor", items, dataset.unreadable)


def _check_brain_tumor(folder: Path, wanted: dict[str, str], have: dict[str, str]) -> None:
    """Raise if the digests that a folder's files have are not those of the set."""
    wrong = [name for name, digest in wanted.items() if have.get(name) != digest]
    if wrong:
        state = "missing or altered"
        raise DenobenchError(
            f"{folder} is not the brain-tumor set: {len(wrong)} of its {len(wanted)} files are "
            f"{state} (first: {wrong[0]}). Use dataset: folder for other images."
        )


def _locate_brain_tumor(folder: Path | None) -> Path:
    """Return the folder that holds ``yes`` and ``no``."""
    if folder is None and os.environ.get("DENOBENCH_DATA"):
        folder = files.user_path(os.environ["DENOBENCH_DATA"])
    if folder is None:
        folder = _download_brain_tumor()
    for candidate in (folder, folder / "brain_tumor_dataset"):
        if (candidate / "yes").is_dir() and (candidate / "no").is_dir():
            return candidate
    if not folder.is_dir():
        raise DenobenchError(f"Data folder {folder} does not exist or is not a folder.")
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
