"""What the viewer is given: pictures, scores, and nothing that a page could take for markup."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import denobench.report.page as package
from denobench.gallery import Pictures
from denobench.report.data.summary import Summary, summarise
from denobench.report.page import viewer
from denobench.report.page.page import render
from denobench.report.page.pixels import unpack
from denobench.report.page.scripts import script
from denobench.report.tables.scores import make_tables
from denobench.rows import RunFolder

FOLDER = Path(package.__file__).parent / "viewer"


@pytest.fixture(scope="module")
def content(summary: Summary) -> viewer.Content:
    return viewer.content(summary)


def test_pictures_are_the_gallery_s(content: viewer.Content, run: RunFolder) -> None:
    """Reference, noisy image and every answer of a view are those of the run's gallery."""
    (view,) = content.data["views"]
    (shown,) = run.manifest().gallery
    kept = run.gallery.observation(shown.observation)
    assert kept is not None
    for name, pixels in zip(("clean", "noisy"), kept, strict=True):
        assert np.abs(unpack(content.pictures[view[name]]) - pixels).max() <= 0.51 / 65535
    keys = {row.method: row.key for row in run.rows() if row.image == view["image"]
            and row.noise == view["noise"] and row.level == view["level"]
            and row.realisation == 0}  # fmt: skip
    for method, place in view["answers"].items():
        key = keys[method.partition("/")[2]]
        answer = run.gallery.answer(shown.observation, key, kept[0].shape)
        assert answer is not None
        assert np.abs(unpack(content.pictures[place]) - answer).max() <= 0.51 / 65535


def test_slices_of_a_volume_are_views(run: RunFolder, tmp_path: Path) -> None:
    """Of a volume each slice that was kept is a view, with its number and the volume's depth."""
    folder = RunFolder(tmp_path / "volume")
    shutil.copytree(run.path, folder.path)
    told = folder.manifest()
    shown = told.gallery[0].model_copy(update={"slices": (3, 7, 9), "depth": 12})
    folder.write_manifest(told.but(gallery=(shown,)))
    shutil.rmtree(folder.path / "gallery")
    key = next(r.key for r in folder.rows() if r.method == "nlm" and r.image == shown.image
               and (r.noise, r.level, r.realisation) == (shown.noise, shown.level, 0))  # fmt: skip
    clean, noisy, answer = np.random.default_rng(0).random((3, 3, 8, 9)).astype(np.float32)
    folder.gallery.save(shown.observation, key, Pictures(clean, noisy, answer))
    found = viewer.content(summarise([folder], intervals=False))
    views = found.data["views"]
    assert [(view["slice"], view["depth"]) for view in views] == [(3, 12), (7, 12), (9, 12)]
    for place, view in enumerate(views):
        (answered,) = view["answers"].values()
        for name, pixels in (("clean", clean), ("noisy", noisy)):
            assert unpack(found.pictures[view[name]]) == pytest.approx(pixels[place], abs=1e-5)
        assert unpack(found.pictures[answered]) == pytest.approx(answer[place], abs=1e-5)


def test_the_first_view_stands_before_the_rest(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The middle level's pictures and the script come before the document, the others behind it."""
    folder = RunFolder(tmp_path / "levels")
    shutil.copytree(run.path, folder.path)
    told = folder.manifest()
    (shown,) = told.gallery
    levels = (0.2, 0.05, 0.1)
    folder.write_manifest(
        told.but(gallery=tuple(shown.model_copy(update={"level": level}) for level in levels))
    )
    summary = summarise([folder], intervals=False)
    found = viewer.content(summary)
    assert [view["level"] for view in found.data["views"]] == [*levels]
    assert found.data["start"] == 2
    html = render(summary, make_tables(summary), [], [], [], found)
    first, rest = html.index('id="picture-'), html.index('<section id="noise-')
    assert html.index('"use strict"') < rest
    for place in range(len(found.pictures)):
        at = html.index(f'id="picture-{place}"')
        assert first <= at < html.index('"use strict"') if place in found.first else at > rest
    assert html.index('id="plotly"') > rest


def test_data_can_stand_in_a_page(content: viewer.Content) -> None:
    """No letter of the data ends its script, and it is JSON without NaN."""
    content.data["methods"][0]["label"] = "</script><script>alert(1)</script>"
    try:
        assert "<" not in content.json
        assert json.loads(content.json)["methods"][0]["label"].startswith("</script>")
        assert "NaN" not in content.json
    finally:
        content.data["methods"][0]["label"] = "Identity"


def test_views_that_do_not_fit_are_counted(
    summary: Summary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the budget a view is left out whole, and said to be."""
    monkeypatch.setattr(viewer, "BUDGET", 1000)
    found = viewer.content(summary)
    assert found.data["views"] == []
    assert found.notes == (
        "Left out, so that this file stays below 15 MB: head_00.png. Fewer images in gallery, or a "
        "report of fewer methods, make room.",
    )
    assert found.pictures == []


def test_modules_make_one_script() -> None:
    """All modules are in the script once, none imports any more, no name is there twice."""
    text = script()
    assert not re.search(r"^(import|export) ", text, re.MULTILINE)
    assert "</" not in text.replace("<\\/", "")
    for path in FOLDER.glob("*.js"):
        first = path.read_text("utf-8").partition("\n")[0]
        assert text.count(first) == 1
    names = re.findall(r"^(?:const|let|class|function|async function) (\w+)", text, re.MULTILINE)
    assert len(names) == len({*names})


def test_no_module_writes_markup() -> None:
    """Text reaches the page as text alone, and nothing is evaluated or fetched."""
    for path in FOLDER.glob("*.js"):
        text = path.read_text("utf-8")
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(",
                     "new Function", "fetch(", "XMLHttpRequest", "http:", "https:"):  # fmt: skip
            assert word not in text, (path.name, word)


def test_types_hold(tmp_path: Path) -> None:
    """The TypeScript compiler finds no fault in the modules' types."""
    tsc = shutil.which("tsc")
    if tsc is None:
        pytest.skip("no TypeScript compiler: npm install --global typescript")
    done = subprocess.run([tsc, "--project", str(FOLDER)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_style_holds() -> None:
    """Biome finds the modules formatted, and nothing that its rules forbid."""
    biome = shutil.which("biome")
    if biome is None:
        pytest.skip("no Biome: npm install --global @biomejs/biome")
    done = subprocess.run(
        [biome, "check", "--error-on-warnings", "."], cwd=FOLDER, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
