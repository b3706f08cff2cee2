"""``denobench train``: train a config's networks, without running the comparison."""

from __future__ import annotations

from denobench.cli import options
from denobench.cli.say import say


def train(
    config: options.ConfigName = "quick",
    data: options.Data = None,
    noise: options.Noise = None,
    plugin: options.Plugins = None,
    device: options.Device = None,
    settings: options.Settings = None,
) -> None:
    """Train the networks of a config; weights are cached, so that `denobench run` finds them.

    Stop it at any moment: the same command goes on where it was.
    """
    from denobench.api import train as train_all
    from denobench.bars import Bars
    from denobench.cli.comparison import load_config

    loaded = load_config(
        config, settings or [], data=data, noise=noise, plugins=plugin or [], device=device
    )
    with Bars() as bars:
        trained = train_all(loaded, bars)
    for model in trained:
        say(f"{model.key[:12]}  {model.weights}")
