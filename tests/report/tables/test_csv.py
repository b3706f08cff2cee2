"""CSV: whole data, and no formula in it."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from denobench.report.tables.csv import to_csv


@pytest.mark.parametrize(
    "text",
    ["=cmd|' /C calc'!A0", "+1+1", "-1+1", "@A(1)", "\t=1", "\r=1", "a\r=1", "=A"],
)
def test_formulas_become_text(text: str) -> None:
    """What a spreadsheet would compute is marked as text, also in a column of categories."""
    frame = pd.DataFrame({"label": [text, "plain"], "kind": pd.Categorical([text, "plain"])})
    found = pd.read_csv(io.StringIO(to_csv(frame)))
    quoted = "'" * (text[0] != "a") + text.replace("\r", "\n")
    assert found["label"].tolist() == [quoted, "plain"]
    assert found["kind"].tolist() == found["label"].tolist()


def test_numbers_and_other_texts_are_as_they_are() -> None:
    """Negative numbers stay numbers; quotes, commas, line breaks and a minus sign stay."""
    frame = pd.DataFrame({"x": [-1.5, float("-inf")], "text": ['a,"b"\nc', "−1"]})
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(to_csv(frame))), frame)
