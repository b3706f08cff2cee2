"""What a notebook and the command line call: run, report, verify, denoise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denobench.errors import DenobenchError
from denobench.files import user_path
from denobench.progress import Silent, of_stage

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from denobench.config import Config
    from denobench.denoising import Written
    from denobench.engine.coordinator import Outcome
    from denobench.methods import Denoiser
    from denobench.models import Model
    from denobench.progress import Watcher
    from denobench.report import Report
    from denobench.verification import Verification

RESULTS = Path("results")


def run(
    config: str | Path = "quick",
    settings: Mapping[str, Any] | None = None,
    *,
    out: str | Path | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Carry out a comparison, write its report, and return its rows.

    Parameters
    ----------
    config
        A shipped config's name (such as ``quick`` or ``paper``) or the path of a YAML file.
    settings
        Dotted keys and values that replace the config's, such as
        ``{"limit": 4, "methods.tv.weight": 0.8}``.
    out
        The run's folder; ``results/NAME`` if left out. Cells that are in it are not computed again.
    progress
        Whether to show progress bars.

    Returns
    -------
    pandas.DataFrame
        One row per cell: method, noise, level, image, status, metrics, seconds.

    Raises
    ------
    DenobenchError
        If the config is wrong or images are missing.

    Examples
    --------
    >>> rows = run("quick", {"limit": 2, "methods": ["tv", "nlm"]})  # doctest: +SKIP
    >>> rows.groupby(["method", "level"])["psnr"].mean()  # doctest: +SKIP
    """
    from denobench import config as configs

    loaded = configs.load(config, settings)
    if "methods" not in (settings or {}):
        from denobench.engine.planning.methods import with_plugin_methods

        loaded = with_plugin_methods(loaded)
    if progress:
        from denobench.bars import Bars

        with Bars() as bars:
            outcome, _ = carry_out(loaded, out, bars)
    else:
        outcome, _ = carry_out(loaded, out, Silent())
    if outcome.interrupted:
        raise KeyboardInterrupt
    return outcome.folder.frame()


def train(config: Config, watcher: Watcher) -> list[Model]:
    """Train every network of a config that is not in the cache yet, and return all of them.

    Parameters
    ----------
    config
        What to compare; its methods that need no training are left out.
    watcher
        Told of progress.

    Raises
    ------
    DenobenchError
        If the config names no method that has to be trained, or a training fails.
    """
    from denobench.cache import cache_folder
    from denobench.engine.planning.plan import make_plan
    from denobench.engine.stages.training import check_device, obtain
    from denobench.engine.workers.child import ChildError

    plan = make_plan(config, progress=of_stage(watcher, "Images"))
    log, trained = cache_folder() / "training.log", []
    with plan.plugins:
        check_device(plan, log)
        for method, training, _ in plan.trainings():
            progress = of_stage(watcher, f"Training {method.name}")
            try:
                trained.append(obtain(method, training, config, log=log, progress=progress))
            except ChildError as error:
                raise DenobenchError(f"{method.name} could not be trained: {error}") from None
    if not trained:
        raise DenobenchError(f"Config {config.name} names no method that has to be trained.")
    return trained


def carry_out(
    config: Config, out: str | Path | None, watcher: Watcher
) -> tuple[Outcome, Report | None]:
    """Fill a run's folder and write its report, also when Ctrl-C has ended the run.

    There is no report of a run that was ended before its first cell, or while it was written. One
    that would come out the same is not written again.
    """
    from denobench import report
    from denobench.engine import coordinator
    from denobench.files import naming_full_disk

    folder = RESULTS / config.name if out is None else user_path(out)
    outcome = coordinator.carry_out(config, folder, watcher)
    if outcome.interrupted and not outcome.folder.current():
        return outcome, None

    try:
        with naming_full_disk(folder):
            found = report.unchanged(outcome.folder)
            return outcome, found or report.write(
                [outcome.folder], progress=of_stage(watcher, "Report")
            )
    except KeyboardInterrupt:
        outcome.interrupted = True
        return outcome, None


def report(runs: Sequence[str | Path], *, out: str | Path | None = None) -> Report:
    """Write the tables, figures and page of one or more runs again, from their rows.

    Parameters
    ----------
    runs
        Folders of runs.
    out
        Where to write; the run's own folder if there is one run, needed for several.

    Raises
    ------
    DenobenchError
        If a folder holds no run, or ``out`` is missing for several.
    """
    from denobench import report as reports
    from denobench.rows import RunFolder

    folders = [RunFolder.open(user_path(path)) for path in runs]
    if len(folders) > 1 and out is None:
        raise DenobenchError("Several runs need --out FOLDER for their joint report.")
    return reports.write(folders, None if out is None else user_path(out))


def verify(
    run: str | Path,
    *,
    sample: int = 10,
    data: str | Path | None = None,
    plugins: Sequence[str | Path] = (),
    trust: bool = False,
    watcher: Watcher,
) -> Verification:
    """Make a run's tables again from its rows, and a sample of the rows again from the images.

    Parameters
    ----------
    run
        Folder of the run.
    sample
        How many rows to compute again; 0 for none, which needs no images.
    data
        Folder of the images, where the run's data set needs one.
    plugins
        Python files with methods; those that the run's folder names are not imported.
    trust
        Import those as well: they run as your own programs do.
    watcher
        Told of progress.

    Raises
    ------
    DenobenchError
        If the folder holds no run, its images or methods are not here, or it names plugins and
        neither ``plugins`` nor ``trust`` is given.
    """
    from denobench.rows import RunFolder
    from denobench.verification import verify as verify_run

    return verify_run(
        RunFolder.open(user_path(run)),
        sample=sample,
        data=None if data is None else user_path(data),
        plugins=[user_path(path) for path in plugins],
        trust=trust,
        progress=of_stage(watcher, "Rows"),
    )


def denoise(
    image: np.ndarray,
    method: str | Path,
    *,
    sigma: float | None = None,
    plugins: Sequence[str | Path] = (),
    **parameters: Any,
) -> np.ndarray:
    """Denoise one image, or a volume: slice by slice, or at once by a method that takes volumes.

    Parameters
    ----------
    image
        (H, W), or (D, H, W) of a volume; floating point with full scale 1.0, or an unsigned integer
        type.
    method
        A registered method, or the path of a network's file. A registered one that has to be
        trained takes weights that came with the package or were trained here: see
        `denobench.models.ready`.
    sigma
        The noise's standard deviation as a fraction of full scale; estimated if left out.
    plugins
        Plugin files, one of which may define the method.
    **parameters
        The method's parameters.

    Returns
    -------
    numpy.ndarray
        float32, of the image's shape, clipped to [0, 1].

    Raises
    ------
    DenobenchError
        If the method or a parameter is unknown, the image has another shape or type, or the method
        fails or breaks its contract.

    Examples
    --------
    >>> clean = denoise(noisy, "bm3d", sigma=0.1)  # doctest: +SKIP
    """
    import numpy as np

    from denobench.denoising import Applied
    from denobench.noise import REGISTRY
    from denobench.registry import load_plugins

    noisy = _full_scale_one(image)
    with load_plugins(plugins):
        applied = Applied(str(method), _built(method, parameters), sigma)
        model = REGISTRY.load(applied.method.info.assumes or "gaussian")
        return np.asarray(applied.answer(noisy, applied.tell(noisy, model).sigma))


def _built(method: str | Path, parameters: Mapping[str, Any]) -> Denoiser:
    """Return a method by its name, with weights where it needs some, or by its network's file."""
    if isinstance(method, Path):
        from denobench import foreign

        return foreign.method_of(method, parameters)
    from denobench import methods, models

    built = methods.build(method, parameters)
    if isinstance(built, methods.FittedDenoiser):
        weights = models.ready(built)
        if weights is None:
            raise DenobenchError(
                f"Method {method!r} has to be trained, and no weights of it are here: "
                "`denobench train`, or `denobench run`, with a config that names it trains it."
            )
        built.load(weights.weights)
    return built


def _full_scale_one(image: np.ndarray) -> np.ndarray:
    """Return a copy of an image as methods take one, or raise what is wrong with it."""
    import numpy as np
    from skimage.util import img_as_float32

    image = np.asarray(image)
    colour = image.ndim == 3 and image.shape[-1] in (3, 4)
    if image.ndim not in (2, 3) or colour or image.dtype.kind not in "fu" or 0 in image.shape:
        raise DenobenchError(
            f"An image is a 2-D array of floats or unsigned integers, a volume a 3-D one, not "
            f"{image.dtype} of shape {image.shape}{' (colour)' * colour}."
        )
    noisy = np.array(image if image.dtype.kind == "f" else img_as_float32(image), np.float32)
    if not np.isfinite(noisy).all():
        raise DenobenchError("The image has NaN or infinite pixels; replace them first.")
    return noisy


def denoise_file(
    source: str | Path,
    target: str | Path,
    method: str | Path,
    *,
    sigma: float | None = None,
    plugins: Sequence[str | Path] = (),
    watcher: Watcher | None = None,
) -> list[Written]:
    """Denoise a picture, a volume, a DICOM image or series, an array, or a folder of these.

    Parameters
    ----------
    source, target
        What is noisy, and where the denoised one goes: two files, or two folders.
    method, plugins
        As in `denoise`.
    sigma
        As a fraction of full scale, which is a volume's highest value; estimated if left out, once
        for a volume.
    watcher
        Told of progress.

    Returns
    -------
    list of Written
        What was written, with the sigma that the method was told.

    Raises
    ------
    DenobenchError
        As `denoise` does; also if a file cannot be read or written, or both are the same.
    """
    from denobench.denoising import Applied, denoise_path
    from denobench.registry import load_plugins

    source, target = user_path(source), user_path(target)
    if target.exists() and source.exists() and target.samefile(source):
        raise DenobenchError(f"{target}: IN and OUT are one file; name another for the answer.")
    watcher = watcher or Silent()
    with load_plugins(plugins):
        applied = Applied(str(method), _built(method, {}), sigma)
        progress = of_stage(watcher, "Slices")
        return denoise_path(source, target, applied, progress=progress, say=watcher.say)
