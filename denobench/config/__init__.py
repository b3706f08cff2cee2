"""What a user may write: the config's models, YAML, one precise error per mistake."""

from denobench.config.checking import parse
from denobench.config.loading import load, parse_settings, shipped
from denobench.config.models import Config, MethodEntry
from denobench.config.sections import TimingEntry, TuningEntry

__all__ = [
    "Config",
    "MethodEntry",
    "TimingEntry",
    "TuningEntry",
    "load",
    "parse",
    "parse_settings",
    "shipped",
]
