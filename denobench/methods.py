"""The contract of a method, and how a function or class becomes one."""

from __future__ import annotations

import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from denobench import stabilisation
from denobench.errors import DenobenchError, UnavailableError, reason, unknown
from denobench.files import digest_of
from denobench.progress import Progress
from denobench.registry import Origin, Registry
from denobench.validation import unfit

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from denobench.datasets import Item

TRACKS = ("oracle", "estimated", "blind")
# Rules of no choice: of grey and of colour pictures of 8 bits, whose trainings' keys are older.
_PLAIN = {"", "type 0.0 255.0 acquired None", "type 0.0 1.0 acquired None"}
_STABILISED = re.compile(r"vst\((.+)\)")  # NAME between variance stabilisation and its inverse


@dataclass(frozen=True)
class Info:
    """What a table, the cache and the tuner have to know of a method.

    Attributes
    ----------
    name, title, reference, licence
        As they stand in tables.
    tracks
        What the method can be told of sigma: ``oracle`` (the true one), ``estimated``, or
        ``blind`` (nothing). The first is the default.
    assumes
        The noise model it is made for, or empty. One made for another than ``gaussian`` runs on
        that alone.
    grid
        Parameters that may be tuned, each with its values.
    packages
        Distributions it computes with; their versions enter the cells' keys.
    notes
        What a user should know before believing its numbers.
    dims
        2 if it takes a slice, (H, W), and is run slice by slice on a volume; 3 if it takes a whole
        volume, (D, H, W), and runs where ``unit: volume`` is asked for.
    """

    name: str
    title: str
    reference: str = ""
    licence: str = ""
    tracks: tuple[str, ...] = ("oracle", "estimated")
    assumes: str = "gaussian"
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    notes: str = ""
    dims: int = 2

    def __post_init__(self) -> None:
        if self.dims not in (2, 3):
            raise DenobenchError(
                f"dims of method {self.name!r} must be 2 (slices) or 3 (whole volumes), "
                f"not {self.dims!r}."
            )
        for track in self.tracks:
            if track not in TRACKS:
                raise unknown(f"track of method {self.name!r}", track, TRACKS)


def _told(found: Any) -> tuple[str, Any] | None:
    """Tell a method in a plugin file: a function or class with its `Info`."""
    info = getattr(found, "info", None)
    return (info.name, found) if isinstance(info, Info) else None


REGISTRY = Registry("denobench.methods", "method", _told)
# What runs a model's file or a command; a config names these by `model:` and `command:` alone.
FOREIGN = Registry("denobench.foreign", "kind of model")


class Denoiser(ABC):
    """A method with its parameters set.

    Subclasses take their parameters as keyword-only arguments of ``__init__`` with defaults.
    ``device`` is where it computes: ``cpu``, or an accelerator's kind, such as ``cuda``.
    """

    info: ClassVar[Info]
    device: str = "cpu"

    @abstractmethod
    def denoise(self, noisy: np.ndarray, sigma: float | None) -> np.ndarray:
        """Return the denoised image.

        Parameters
        ----------
        noisy
            float32, full scale 1.0, not clipped; must not be changed. (H, W), or (D, H, W) where
            the method's ``dims`` are 3.
        sigma
            The noise's standard deviation as a fraction of full scale, in (0, 1]; None on the
            blind track.

        Returns
        -------
        numpy.ndarray
            Floating point, of the shape of ``noisy``, finite. The harness clips it to [0, 1].
        """


class FileDenoiser(Denoiser):
    """A method that is read from a file, such as a network's."""

    @abstractmethod
    def load(self, path: Path) -> None:
        """Read the file, without executing anything in it."""

    @staticmethod
    @abstractmethod
    def digest(path: Path) -> str:
        """Return the digest of the file's contents, and of the files that belong to it."""


@dataclass(frozen=True)
class TrainingSet:
    """What a method is fitted on: images and the noise to put on them.

    Attributes
    ----------
    train, validation
        The images, read when they are needed.
    size
        Side in pixels, or None for the images' own.
    noise
        Name of the noise model.
    levels
        One level: fit for it. Several: fit for the range from the lowest to the highest.
    seed
        The run's seed.
    """

    train: tuple[Item, ...]
    validation: tuple[Item, ...]
    size: int | None
    noise: str
    levels: tuple[float, ...]
    seed: int

    def describe(self) -> dict[str, Any]:
        """Return what can change the fitted weights, as JSON-ready values."""
        rules = [item.rule for item in (*self.train, *self.validation)]
        return {
            "train": digest_of([item.digest for item in self.train]),
            "validation": digest_of([item.digest for item in self.validation]),
            "images": [len(self.train), len(self.validation)],
            "size": self.size,
            "noise": self.noise,
            "levels": list(self.levels),
            "seed": self.seed,
            **({"rules": digest_of(rules)} if {*rules} - _PLAIN else {}),
        }


class FittedDenoiser(Denoiser):
    """A method that has to be fitted before it denoises.

    Class attribute ``version`` is raised when fitted weights change, so that cached ones are not
    found. Parameter ``training`` says whether there is one fit per level (``matched``), or one for
    all levels of a noise model that is told sigma (``told``) or not (``blind``). ``levels`` is the
    range that it is fitted for unless a config names one; empty for the run's own.
    """

    version: ClassVar[int] = 1
    levels: tuple[float, ...] = ()
    training: str

    @abstractmethod
    def fit(self, training: TrainingSet, *, folder: Path, progress: Progress) -> pd.DataFrame:
        """Fit to the training set and return the history, one row per epoch.

        Its columns are ``epoch``, ``kept`` (True for the epoch whose weights are kept) and
        ``seconds``; ``loss``, ``val_loss`` and ``val_psnr`` are drawn if they are there.
        Checkpoints lie in ``folder``; when it holds some, fitting goes on from there.
        """

    @abstractmethod
    def save(self, path: Path) -> None:
        """Write the fitted weights to a file."""

    @abstractmethod
    def load(self, path: Path) -> None:
        """Read fitted weights from a file, without executing anything in it."""

    @abstractmethod
    def recipe(self) -> dict[str, Any]:
        """Return what, besides the training set, can change the fitted weights."""

    def remark(self, history: pd.DataFrame) -> str:  # noqa: ARG002
        """Return what a table must say of weights with this history, such as "undertrained"."""
        return ""

    def weights_key(self, training: TrainingSet) -> str:
        """Return the digest of what makes the weights: the method's recipe and its training set."""
        return digest_of(
            {
                "method": self.info.name,
                "version": self.version,
                "recipe": self.recipe(),
                "training": training.describe(),
            }
        )


def check_history(method: FittedDenoiser, history: object) -> None:
    """Raise `DenobenchError` if what `FittedDenoiser.fit` returned is no history."""
    import pandas as pd

    if isinstance(history, pd.DataFrame):
        missing = {"epoch", "kept", "seconds"} - set(history)
        if not missing and history["kept"].any():
            return
        wrong = f"no {', '.join(sorted(missing))}" if missing else "a history that kept no epoch"
    else:
        wrong = type(history).__name__
    raise DenobenchError(
        f"fit() of {method.info.name} returned {wrong}: it should be a DataFrame with "
        "one row per epoch and the columns epoch, kept (True where the weights are those of the "
        "epoch) and seconds."
    )


Function = Callable[..., Any]


def denoiser(name: str, *, title: str = "", **details: Any) -> Callable[[Function], Function]:
    """Make a method of a function ``f(noisy, sigma, *, parameter=default, ...)``.

    Parameters
    ----------
    name
        As a config names it.
    title
        As a table names it; the name if empty.
    **details
        The other attributes of `Info`.

    Examples
    --------
    >>> @denoiser("double-median", tracks=("blind",))
    ... def double_median(noisy, sigma, *, size=3):
    ...     return cv2.medianBlur(cv2.medianBlur(noisy, size), size)
    """

    def wrap(function: Function) -> Function:
        function.info = Info(name, title or name, **details)  # type: ignore[attr-defined]
        return function

    return wrap


class FunctionDenoiser(Denoiser):
    """A method made of a function."""

    def __init__(self, function: Function, **parameters: Any) -> None:
        self.function = function
        self.info = function.info  # type: ignore[attr-defined,misc]
        self.parameters = parameters

    def denoise(self, noisy: np.ndarray, sigma: float | None) -> np.ndarray:
        """Call the function."""
        return self.function(noisy, sigma, **self.parameters)


def parameters(found: Any) -> dict[str, Any]:
    """Return the parameters of a method, a function or a class, with their defaults."""
    signature = inspect.signature(found.__init__ if inspect.isclass(found) else found)
    return {
        name: parameter.default
        for name, parameter in signature.parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


def load(name: str) -> Any:
    """Return the function or class behind a method's name, also one of the form ``vst(NAME)``.

    Raises
    ------
    DenobenchError
        If the name is unknown, or its plugin cannot be imported or is not a method.
    """
    if inner := _STABILISED.fullmatch(name):
        return stabilised(inner[1])
    found = _registry(name).load(name)
    if not isinstance(getattr(found, "info", None), Info):
        raise DenobenchError(
            f"The method {name!r} carries no information: decorate the function with "
            "@denoiser(...), or give the class an attribute `info`."
        )
    return found


def stabilised(name: str) -> Function:
    """Return ``vst(NAME)``: a method for Gaussian noise made one for Rician noise.

    It has the parameters and the source of NAME, which sees the variance-stabilised image.

    Raises
    ------
    DenobenchError
        If NAME is unknown, made for other noise than Gaussian, not told sigma, or to be trained.
    """
    found = load(name)
    info: Info = found.info
    fitted = inspect.isclass(found) and issubclass(found, FittedDenoiser)
    tracks = tuple(track for track in info.tracks if track != "blind")
    if fitted or not tracks or info.assumes != "gaussian":
        raise DenobenchError(
            f"vst({name}): vst(...) wraps a method that is made for Gaussian noise, is told sigma "
            "and needs no training, such as nlm."
        )

    @wraps(found, updated=())
    def denoise(noisy: np.ndarray, sigma: float, **given: Any) -> np.ndarray:
        return stabilisation.denoise(noisy, sigma, build(name, given).denoise)

    denoise.info = replace(  # type: ignore[attr-defined]
        info,
        name=f"vst({name})",
        title=f"VST + {info.title}",
        reference=f"{stabilisation.REFERENCE}; {info.reference}",
        tracks=tracks,
        assumes="rician",
        packages=tuple(dict.fromkeys((*info.packages, "numpy", "scipy"))),
    )
    return denoise


def untrained(*, volumes: bool = False) -> list[str]:
    """Return the names of the methods that need no training, and of those that cannot be loaded.

    Parameters
    ----------
    volumes
        Whether those that take whole volumes are among them.
    """

    def wanted(name: str) -> bool:
        try:
            found = load(name)
        except UnavailableError:
            return True
        fitted = inspect.isclass(found) and issubclass(found, FittedDenoiser)
        return not fitted and (volumes or found.info.dims == 2)

    return [name for name in REGISTRY.names() if wanted(name)]


def origin(name: str) -> Origin:
    """Return where a method comes from; of ``vst(NAME)``, where NAME does."""
    inner = _STABILISED.fullmatch(name)
    return origin(inner[1]) if inner else _registry(name).origin(name)


def _registry(name: str) -> Registry:
    return FOREIGN if name in FOREIGN.names() else REGISTRY


def build(name: str, given: Mapping[str, Any] | None = None) -> Denoiser:
    """Return a method with its parameters set.

    Raises
    ------
    DenobenchError
        If the method or one of the parameters is unknown, a parameter's annotation or the method
        refuses a value; `UnavailableError` if it cannot be made at all.
    """
    found = load(name)
    known = parameters(found)
    for key in given or {}:
        if key not in known:
            raise unknown(f"parameter of method {name!r}", key, known)
    if fault := unfit(found.__init__ if inspect.isclass(found) else found, given or {}):
        raise DenobenchError(f"Method {name!r}: {fault}")
    chosen = {**known, **(given or {})}
    if not inspect.isclass(found):
        return FunctionDenoiser(found, **chosen)
    try:
        return cast(Denoiser, found(**chosen))
    except DenobenchError:
        raise
    except (TypeError, ValueError) as error:
        raise DenobenchError(f"Method {name!r}: {error}") from error
    except Exception as error:
        raise UnavailableError(f"The method {name!r} cannot be made: {reason(error)}") from error


def describe(found: Any) -> dict[str, Any]:
    """Return a method's information as JSON-ready values."""
    return {**asdict(found.info), "parameters": parameters(found)}
