"""What scores are called."""

from __future__ import annotations

import pytest

from denobench import metrics
from denobench.errors import DenobenchError
from denobench.scorenames import is_on_foreground, metric_of, on_foreground


@pytest.mark.parametrize("metric", [*metrics.REGISTRY.names(), "a b", "foreground"])
def test_a_metric_and_its_score_on_the_foreground(metric: str) -> None:
    """The two names are told apart, and both lead back to the metric."""
    score = on_foreground(metric)
    assert (is_on_foreground(metric), is_on_foreground(score)) == (False, True)
    assert (metric_of(metric), metric_of(score)) == (metric, metric)


def test_no_metric_takes_the_name_of_another_ones_score() -> None:
    """A stranger's ``psnr_foreground`` would stand in PSNR's column."""
    with pytest.raises(DenobenchError, match="call it 'psnr'"):
        metrics.metric("psnr_foreground", title="P")(print)
