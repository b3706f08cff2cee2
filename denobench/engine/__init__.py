"""Turn a config into rows: plan, training, cells in worker processes, and the timing pass."""

from denobench.engine.coordinator import Outcome, carry_out
from denobench.engine.plan import Plan, make_plan
from denobench.engine.training import obtain

__all__ = ["Outcome", "Plan", "carry_out", "make_plan", "obtain"]
