"""Progress: bars on a terminal, lines in a log, and no text of a method taken for markup."""

from __future__ import annotations

import io

import pytest

from denobench import bars as bars_module
from denobench.bars import Bars
from denobench.screen import Screen


def test_a_log_gets_a_line_per_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal every stage has one line at its end, and one a minute before it."""
    now = [0.0]
    monkeypatch.setattr(bars_module.time, "monotonic", lambda: now[0])
    console = Screen(file=io.StringIO(), width=40)
    with Bars(console) as bars:
        for done in range(4):
            now[0] = 50.0 * done
            bars.stage("Training cdae", done, 3, f"epoch {done} of 3 with a loss that is long")
        bars.stage("Cells", 0, 2)
        bars.stage("Cells", 2, 2)
        bars.stage("Cells", 2, 2)
    assert console.file.getvalue().splitlines() == [  # type: ignore[attr-defined]
        "Training cdae 2/3: epoch 2 of 3 with a loss that is long",
        "Training cdae 3/3",
        "Cells 2/2",
    ]


@pytest.mark.parametrize("terminal", [True, False])
def test_brackets_are_no_markup(terminal: bool) -> None:
    """What a method says or is called is printed as it is."""
    console = Screen(file=io.StringIO(), force_terminal=terminal, width=200)
    with Bars(console) as bars:
        bars.stage("Training [bold]", 1, 3, "[/]")
        bars.say("m [/red] failed: [Errno 28]")
    assert "m [/red] failed: [Errno 28]" in console.file.getvalue()  # type: ignore[attr-defined]
    assert not terminal or "Training [bold]" in console.file.getvalue()  # type: ignore[attr-defined]
