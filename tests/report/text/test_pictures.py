"""What is said of the pictures in a report."""

from __future__ import annotations

from collections.abc import Callable

from denobench.report.data.summary import Summary, summarise
from denobench.report.text.pictures import gallery_notes
from denobench.rows import RunFolder


def test_which_images_are_there(summary: Summary) -> None:
    """The images are named, with how many there are, and so are those that had no room."""
    notes = [*gallery_notes(summary, ["head_00.png"], ["head_01.png", "head_01.png"])]
    assert notes[0].startswith("Pictures of 1 of 6 test images: head_00.png. gallery in the config")
    assert "15 MB: head_01.png." in notes[1]
    many = [f"head_{number:02d}.png" for number in range(20)]
    assert "head_11.png and 8 more" in next(gallery_notes(summary, many, []))


def test_why_there_are_none(derive: Callable[..., RunFolder]) -> None:
    """Without a known licence, or with a gallery of none, the page says what to set."""
    few = {"keep": lambda row: row.method in ("tv", "identity")}
    withheld = summarise([derive(**few, share=False)], intervals=False)
    (note,) = gallery_notes(withheld, [], [])
    assert "gallery: {share: true}" in note
    assert "denobench view" in note
    (note,) = gallery_notes(withheld, [], [], private=True)
    assert "keep this page on this machine" in note
    none = summarise([derive(**few, name="none", gallery=[])], intervals=False)
    (note,) = gallery_notes(none, [], [])
    assert "gallery is 0" in note
