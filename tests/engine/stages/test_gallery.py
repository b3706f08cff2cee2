"""Which images' pictures are kept: the first, the named, the worst, the median and the best."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from denobench.engine.coordinator import Outcome
from denobench.errors import DenobenchError

Compare = Callable[..., Outcome]


def kept(outcome: Outcome) -> list[str]:
    return [shown.image for shown in outcome.folder.manifest().gallery]


def test_scores_choose_images(compare: Compare) -> None:
    """The worst, the median and the best are those by the mean of the first metric."""
    settings = {"noise": ["gaussian:0.05", "gaussian:0.1"], "metrics": ["nrmse"]}
    first = compare(**settings, gallery=0)
    assert kept(first) == []
    rows = [row for row in first.folder.rows() if row.status == "ok"]
    images = sorted({row.image for row in rows})
    means = {
        image: np.mean([row.metrics["nrmse"] for row in rows if row.image == image])
        for image in images
    }
    best, median, worst = sorted(images, key=means.__getitem__)
    for show, expected in ((["worst"], worst), (["median"], median), (["best"], best)):
        again = compare(**settings, gallery={"images": 0, "show": show})
        assert {*kept(again)} == {expected}
        observed = again.folder.manifest().gallery
        assert {shown.level for shown in observed} == {0.05, 0.1}
        assert all(again.folder.gallery.observation(each.observation) for each in observed)
        assert again.computed == 0
        assert len(again.folder.rows()) == len(rows)


def test_images_are_named(compare: Compare) -> None:
    """Names add to the first images; one that is not tested is an error that names near ones."""
    first = compare(gallery=1)
    (shown,) = kept(first)
    others = sorted({row.image for row in first.folder.rows()} - {shown})
    assert {*kept(compare(gallery={"images": 1, "names": others[-1:]}))} == {shown, others[-1]}
    with pytest.raises(DenobenchError, match=f"Did you mean .{others[0]}"):
        compare(gallery={"names": [others[0][:-1]]})


@pytest.mark.parametrize(
    ("gallery", "message"),
    [
        (-1, "gallery: must be 0 or more"),
        ({"show": "worst"}, "gallery.show: must be a list, such as .worst."),
        ({"show": ["wurst"]}, "did you mean worst"),
        ({"pictures": 2}, "Unknown key of gallery .pictures.. Valid: images, names, share, show"),
        ("all", "gallery: must be a whole number"),
    ],
)
def test_mistakes_are_one_sentence(compare: Compare, gallery: object, message: str) -> None:
    """What is no gallery is said with what would be right."""
    with pytest.raises(DenobenchError, match=message):
        compare(gallery=gallery)


def test_pictures_of_unclear_licence_stay(compare: Compare, tmp_path: Path) -> None:
    """A report on images whose licence is not known has no pixels, unless the config says so."""
    import denobench
    from denobench.report import write

    folder = compare(gallery=1, metrics=["psnr"]).folder
    report = write([folder])
    html = report.page.read_text("utf-8")
    assert 'id="picture-0"' not in html
    assert not [path for path in report.paths if path.stem.startswith("gallery")]
    assert "gallery.share=true" in html
    private = denobench.view(folder.path).path
    assert private != report.page
    assert 'id="picture-0"' in private.read_text("utf-8")
    shared = write([compare(gallery={"images": 1, "share": True}, metrics=["psnr"]).folder])
    assert 'id="picture-0"' in shared.page.read_text("utf-8")
    assert denobench.view(folder.path).path == shared.page
