"""What networks are trained with and on: Keras' backend, and the processor or a GPU.

One process at a time owns the GPU. Keras, and what computes for it, is imported only when asked.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from denobench.device import DEVICES, show
from denobench.errors import DenobenchError
from denobench.files import safe_name
from denobench.progress import Progress

if TYPE_CHECKING:
    import keras

    from denobench.networks.recipe import Recipe

AUTO, CPU, GPU = DEVICES
# How Keras' backends are called, and what pip installs with what a GPU needs.
BACKENDS = {
    "tensorflow": ("TensorFlow", "tensorflow[and-cuda]"),
    "jax": ("JAX", "jax[cuda12]"),
    "torch": ("PyTorch", "torch"),
}
_VISIBLE = "CUDA_VISIBLE_DEVICES"
# mallopt's settings, from glibc's malloc.h: free memory that is given back, pieces of their own.
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
# Said by TensorFlow and JAX, by PyTorch of a GPU, and by PyTorch of the processor.
_TOO_LITTLE = ("resource_exhausted", "resourceexhausted", "out of memory", "can't allocate memory")


def variables(choice: str, backend: str) -> dict[str, str]:
    """Return what differs in the environment of a process that trains.

    Parameters
    ----------
    choice
        ``auto``, ``cpu`` or ``gpu``.
    backend
        One of `BACKENDS`.
    """
    # What is no CUDA device is not hidden from a process as those are.
    processor = {"JAX_PLATFORMS": "cpu", "KERAS_TORCH_DEVICE": "cpu"} if choice == CPU else {}
    return {"KERAS_BACKEND": backend, **processor}


def check_installed(backend: str) -> None:
    """Raise if a backend is not installed."""
    if importlib.util.find_spec(backend) is None:
        title, _ = BACKENDS[backend]
        valid = ", ".join(name for name in BACKENDS if importlib.util.find_spec(name))
        raise DenobenchError(
            f"backend: {backend}: {title} is not installed: pip install {backend}, or use one that "
            f"is: {valid}."
        )


def backend() -> str:
    """Return what Keras computes with here, a name in `BACKENDS`."""
    import keras

    return str(keras.backend.backend())


def compiles() -> bool:
    """Return whether a network is compiled as a whole: JAX is slow without it.

    TensorFlow and PyTorch would compile for seconds, and anew for every size of image.
    """
    return backend() == "jax"


def accelerators() -> list[str]:
    """Return the names of the GPUs that Keras' backend finds, that which it uses first."""
    match backend():
        case "tensorflow":
            import tensorflow as tf

            details = tf.config.experimental.get_device_details
            found = tf.config.list_physical_devices("GPU")
            return [str(details(each).get("device_name", each.name)) for each in found]
        case "jax":
            import jax

            return [str(each.device_kind) for each in jax.devices() if each.platform != "cpu"]
        case _:
            import torch

            if torch.cuda.is_available():
                count = torch.cuda.device_count()
                return [torch.cuda.get_device_name(number) for number in range(count)]
            return ["Apple GPU"] if torch.backends.mps.is_available() else []


def used_by(model: keras.Model) -> str:
    """Return where a model's weights lie: ``cpu``, or the GPU's name."""
    found = accelerators()
    if not found:
        return CPU
    value = model.weights[0].value
    match backend():
        case "tensorflow":
            there = "GPU" in value.device
        case "jax":
            there = any(each.platform != "cpu" for each in value.devices())
        case _:
            there = value.device.type != "cpu"
    return found[0] if there else CPU


def keep_memory() -> None:
    """Let this process keep the memory that it frees, where its C library can (glibc).

    Every step of a training asks for the same large pieces. Given back in between, their pages
    come anew each time, and setting them to zero takes a fifth of a step of large images.
    """
    tune = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if tune is not None:
        tune(_MMAP_MAX, 0)
        tune(_TRIM_THRESHOLD, 2**31 - 1)


@contextmanager
def owned(choice: str, progress: Progress) -> Iterator[None]:
    """Compute on what is chosen; a GPU is held against other processes of the user.

    Parameters
    ----------
    choice
        ``auto``: the GPU if the backend finds one. ``cpu``. ``gpu``.
    progress
        Told if the GPU has to be waited for.

    Raises
    ------
    DenobenchError
        If ``gpu`` is chosen and the backend finds none.
    """
    if choice == CPU:
        import keras

        with keras.device("cpu:0") if accelerators() else nullcontext():
            yield
        return
    show()  # to this process, from which they are hidden at first
    lock = FileLock(lock_file())
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress(0, 1, "waits for the GPU, which another training has")
        lock.acquire()
    try:
        if not accelerators():  # nothing to own
            lock.release()
            if choice == GPU:
                raise no_gpu(backend())
        yield
    finally:
        lock.release()


def lock_file() -> Path:
    """Return the file whose lock stands for the first GPU that this user's processes may use."""
    first = os.environ.get(_VISIBLE, "0").partition(",")[0]
    return Path(tempfile.gettempdir()) / safe_name("denobench-gpu", str(os.getuid()), first or "0")


def no_gpu(backend: str) -> DenobenchError:
    """Return the error for a GPU that is asked for and not found."""
    title, package = BACKENDS[backend]
    others = " or ".join(name for name in BACKENDS if name != backend)
    return DenobenchError(
        f"device: gpu, and {title} finds no GPU here: install its driver and pip install "
        f"'{package}', try another backend ({others}), or use device: auto or cpu."
    )


@contextmanager
def naming_too_little_memory(title: str, recipe: Recipe) -> Iterator[None]:
    """Turn a backend's error for too little memory into one that says how to go on."""
    try:
        yield
    except DenobenchError:
        raise
    except Exception as error:
        text = f"{type(error).__name__} {error}".lower()
        if not isinstance(error, MemoryError) and not any(each in text for each in _TOO_LITTLE):
            raise
        step = f"{recipe.batch_size} " + (f"squares of {recipe.crop}" if recipe.crop else "images")
        gpu = next(iter(accelerators()), None)
        whose, on = (f"{gpu}'s", "device: cpu goes on") if gpu else ("this machine's", "")
        smaller = "a smaller batch_size or crop" if recipe.crop else "a smaller batch_size"
        ways = "; ".join(
            filter(None, [on and f"{on} from the last epoch", f"{smaller} starts anew"])
        )
        raise DenobenchError(
            f"Training {title}: {whose} memory is too little for steps of {step}. Close what else "
            f"uses it, and the same command goes on from the last epoch; {ways}."
        ) from None
