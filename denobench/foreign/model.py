"""A network's file as a method."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import yaml

from denobench import methods
from denobench.cache import cache_folder, writing
from denobench.device import Device
from denobench.errors import DenobenchError
from denobench.files import digest_of, write_text
from denobench.foreign import recognise
from denobench.foreign.finding import Found, find
from denobench.foreign.network import Network
from denobench.foreign.reading import Call, Reading
from denobench.foreign.tiles import padded, tiled
from denobench.methods import FileDenoiser, Info
from denobench.progress import Progress, unheard
from denobench.surroundings import quiet

VERSION = 4  # of what is found by trying
_TRIED = 32  # multiples of a side on which an accelerator is tried

_KINDS = {
    recognise.ONNX: "model(onnx)",
    recognise.KERAS: "model(keras)",
    recognise.H5: "model(keras)",
    recognise.SAVED_MODEL: "model(keras)",
    recognise.TORCHSCRIPT: "model(torch)",
    recognise.EXPORTED: "model(torch)",
}


class Model(FileDenoiser):
    """A network that comes as a file: a reading of it, and `load` for the file itself.

    Its parameters are those of `Reading`, and ``device``: one of `denobench.device.DEVICES`.
    """

    def __init__(
        self,
        *,
        layout: str = "nchw",
        channels: int = 1,
        range: str = "0..1",
        answer: str = "image",
        answer_range: str = "same",
        sigma: str = "none",
        sigma_scale: float = 1.0,
        sigma_power: int = 1,
        multiple: int = 1,
        height: int = 0,
        width: int = 0,
        output: int = 0,
        image: int = 0,
        device: Device = "cpu",
    ) -> None:
        self.reading = Reading(
            layout,
            channels,
            range,
            answer,
            answer_range,
            sigma,
            sigma_scale,
            sigma_power,
            multiple,
            height,
            width,
            output,
            image,
        )
        self._wanted = device
        self._call: Call | None = None

    @staticmethod
    def digest(path: Path) -> str:
        """Return the digest of the file's contents, and of the files that belong to it."""
        return recognise.digest(path)

    def load(self, path: Path) -> None:
        """Load the file, without running any code in it."""
        network = open_network(path, self._wanted)
        if self._wanted == "auto" and network.device != "cpu" and not self._works(network):
            network = open_network(path)
        self._call = self.reading.prepared(network)
        self.device = network.device

    def _works(self, network: Network) -> bool:
        """Return whether a network computes where it is: its code may name another device."""
        usual = _TRIED * self.reading.multiple
        sides = self.reading.height or usual, self.reading.width or usual
        try:
            self.reading.apply(network, np.zeros(sides, np.float32), 0.1)
        except Exception:
            return False
        return True

    def denoise(self, noisy: np.ndarray, sigma: float | None) -> np.ndarray:
        """Call the network, with padding or in tiles where it does not take the image's sides."""
        reading, prepared = self.reading, self._call
        assert prepared is not None

        def call(image: np.ndarray) -> np.ndarray:
            return prepared(image, sigma)

        if reading.height or reading.width:
            height, width = reading.height or noisy.shape[0], reading.width or noisy.shape[1]
            return tiled(noisy, height, width, call)
        return padded(noisy, reading.multiple, call)


class OnnxModel(Model):
    """An ONNX file."""

    info: ClassVar[Info] = Info("model(onnx)", "ONNX file", packages=("onnxruntime",))


class KerasModel(Model):
    """A Keras file or a SavedModel."""

    info: ClassVar[Info] = Info("model(keras)", "Keras file", packages=("tensorflow", "keras"))


class TorchModel(Model):
    """A TorchScript or torch.export file."""

    info: ClassVar[Info] = Info("model(torch)", "torch file", packages=("torch",))


@dataclass(frozen=True)
class ModelFile:
    """A network's file, and how it is used.

    Attributes
    ----------
    path
        The file, or the folder of a SavedModel.
    kind
        What it is: one of the names in `denobench.foreign.recognise`.
    digest
        Of its contents.
    found
        How it is used, and what was found out about it.
    """

    path: Path
    kind: str
    digest: str
    found: Found

    @property
    def registered(self) -> str:
        """The method that runs it."""
        return _KINDS[self.kind]

    def info(self, name: str, title: str) -> Info:
        """Return what a table tells of it."""
        tracks = ("oracle", "estimated") if self.found.reading.told else ("blind",)
        base = {"model(onnx)": OnnxModel, "model(keras)": KerasModel, "model(torch)": TorchModel}
        packages = base[self.registered].info.packages
        return Info(
            name, title, tracks=tracks, assumes="", packages=packages, notes=f"{self.kind} file"
        )


def open_network(path: Path, device: str = "cpu") -> Network:
    """Load a network's file, for one of `denobench.device.DEVICES`.

    Raises
    ------
    DenobenchError
        If it is no network, or cannot be loaded without running code in it; `UnavailableError` if
        what runs it is not installed.
    """
    kind = recognise.recognise(path)
    if kind == recognise.ONNX:
        from denobench.foreign.onnx import OnnxNetwork

        return OnnxNetwork(path, device)
    if kind in (recognise.TORCHSCRIPT, recognise.EXPORTED):
        from denobench.foreign.torch import TorchNetwork

        return TorchNetwork(path, kind, device)
    from denobench.foreign.keras import KerasNetwork

    with quiet():
        return KerasNetwork(path, kind, device)


def inspect(
    path: Path, stated: Mapping[str, Any] | None = None, *, progress: Progress = unheard
) -> ModelFile:
    """Recognise a network's file and find out how it is used.

    What was found is kept in the cache, by the file's contents.

    Parameters
    ----------
    path
        The file, or the folder of a SavedModel.
    stated
        What is known of it, by the names of `Reading`.
    progress
        Told of each reading that is tried.

    Raises
    ------
    DenobenchError
        If it is no network, cannot be loaded, or does not denoise in any way that fits.
    """
    path = path.expanduser().resolve()
    kind = recognise.recognise(path)
    digest = recognise.digest(path)
    stated = dict(stated or {})
    kept = cache_folder() / "readings" / f"{digest_of([VERSION, digest, stated])}.json"
    found = _read(kept)
    if found is None:
        found = find(open_network(path), stated, name=f"Model {path}", progress=progress)
        with writing(kept):
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_text(kept, json.dumps(_as_json(found)))
    return ModelFile(path, kind, digest, found)


def method_of(
    path: Path, stated: Mapping[str, Any] | None = None, device: Device = "auto"
) -> Model:
    """Return a network's file as a method that is ready to denoise.

    Raises
    ------
    DenobenchError
        As `inspect` does.
    """
    file = inspect(path, stated)
    method: Model = methods.load(file.registered)(**asdict(file.found.reading), device=device)
    method.info = file.info(name_of(path), path.stem)  # type: ignore[misc]
    method.load(file.path)
    return method


def name_of(path: Path) -> str:
    """Return a method's name for a file: its own, in letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-") or "model"


def config_line(name: str, path: Path, reading: Reading) -> str:
    """Return the line of a config that states how a network is used."""
    entry = {name: {"model": str(path), **reading.stated()}}
    written = yaml.safe_dump(
        entry, default_flow_style=True, sort_keys=False, width=np.inf, allow_unicode=True
    )
    return f"methods: {written.strip()}"


def _as_json(found: Found) -> dict[str, Any]:
    return {
        "reading": asdict(found.reading),
        "gains": list(found.gains.items()),
        "tried": [[asdict(reading), psnr, noisy] for reading, psnr, noisy in found.tried],
        "levels": list(found.levels),
    }


def _read(path: Path) -> Found | None:
    """Return what was found before, or None if that is not there or cannot be read."""
    try:
        told = json.loads(path.read_text("utf-8"))
        return Found(
            Reading(**told["reading"]),
            {float(level): float(gain) for level, gain in told["gains"]},
            tuple((Reading(**reading), psnr, noisy) for reading, psnr, noisy in told["tried"]),
            tuple(told["levels"]),
        )
    except (OSError, ValueError, KeyError, TypeError, DenobenchError):
        return None
