"""Arguments and options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from denobench.files import user_path

Run = Annotated[
    Path, typer.Argument(parser=user_path, metavar="RUN", help="A run's folder: results/quick.")
]
ConfigName = Annotated[
    str,
    typer.Argument(help="quick, paper, networks, full, mr, pairs, tasks, natural, or a YAML file."),
]
Data = Annotated[
    Path | None,
    typer.Option(
        parser=user_path, metavar="FOLDER", help="Folder of images; sub-folders are labels."
    ),
]
Noise = Annotated[
    str | None, typer.Option(help="These corruptions, such as gaussian:0.1,rician:0.05.")
]
Plugins = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin", parser=user_path, metavar="FILE", help="Python file with a method of your own."
    ),
]
_MODEL = typer.Option(
    "--model",
    parser=user_path,
    metavar="FILE",
    help="A network's file: ONNX, Keras, SavedModel, TorchScript or torch.export.",
)
Model = Annotated[Path | None, _MODEL]
Models = Annotated[list[Path] | None, _MODEL]
Device = Annotated[
    str | None,
    typer.Option(help="auto, cpu or gpu: where networks work and are trained. Default: auto."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Any setting, such as seed=1 or size=128."),
]
