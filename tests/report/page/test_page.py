"""The page: one file that loads nothing, with everything on it."""

from __future__ import annotations

import base64
import io
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from denobench.report import Report, write
from denobench.rows import RunFolder


class Tags(HTMLParser):
    """Collects tags with their attributes, and text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def page(report: Report) -> Tags:
    tags = Tags()
    tags.feed(report.page.read_text(encoding="utf-8"))
    return tags


def test_page_loads_nothing(page: Tags, report: Report) -> None:
    """Sources are data, links lead inside the page, and no style or script comes from elsewhere."""
    for tag, attributes in page.found:
        assert tag not in ("link", "iframe", "object", "embed", "base"), tag
        for name, value in attributes.items():
            if name in ("src", "srcset", "poster", "data", "action", "background"):
                assert (value or "").startswith("data:"), value
            if name == "href":
                assert (value or "").startswith("#"), value
    html = report.page.read_text(encoding="utf-8")
    assert "url(" not in html
    assert "@import" not in html
    assert "fetch(" not in html


def test_links_lead_somewhere(page: Tags) -> None:
    """Every link's target is on the page, and no two elements share an id."""
    identifiers = [attributes["id"] for _, attributes in page.found if attributes.get("id")]
    assert len(identifiers) == len(set(identifiers))
    targets = {attributes["href"] for tag, attributes in page.found if tag == "a"}
    assert targets <= {f"#{identifier}" for identifier in identifiers}


def test_every_figure_is_on_the_page(page: Tags, report: Report) -> None:
    """The images are the figures' PNG files, bytes and all; the gallery's are smaller."""
    sources = [str(attributes["src"]) for tag, attributes in page.found if tag == "img"]
    shown = {base64.b64decode(source.partition(",")[2]) for source in sources if "/png" in source}
    files = {path for path in report.paths if path.suffix == ".png"}
    photos = {path for path in files if path.stem.startswith("gallery")}
    assert shown == {path.read_bytes() for path in files - photos}
    for source, path in zip([each for each in sources if "/webp" in each], photos, strict=True):
        content = base64.b64decode(source.partition(",")[2])
        assert len(content) < path.stat().st_size
        width = Image.open(path).width
        assert Image.open(io.BytesIO(content)).width == pytest.approx(0.75 * width, abs=1)


@pytest.mark.parametrize(
    "text",
    [
        "Non-local means leads in PSNR",
        "One geometric head: it demonstrates the tool and ranks nothing.",
        "Sharpening & more_noise is below the identity, worse than doing nothing",
        "Median: undertrained, 25 epochs.",
        "Broken: 48 failed of 48 cells (RuntimeError: needs_more 100% of a_library & a <GPU>).",
        "bad_<file>.png: not an image",
        "A. Author, 1992.",
        "0123456789abcdef with uncommitted changes",
        "20 images, 19 clusters, 10 to train, 4 to validate, 6 to test",
        "Split by cluster",
    ],
)
def test_page_tells(page: Tags, text: str) -> None:
    """Verdict, warnings, failures, methods and certificate are on the page, escaped rightly."""
    assert text in " ".join(page.text.split())


def test_hostile_names_stay_text(run: RunFolder, tmp_path: Path) -> None:
    """A name with markup in it is shown, not obeyed."""
    manifest = run.manifest().but(name="<script>alert(1)</script>", gallery=())
    folder = RunFolder(tmp_path / "hostile")
    folder.path.mkdir()
    few = ("identity", "tv")
    folder.store.add(row for row in run.store.rows() if row.noise == "rician" and row.method in few)
    folder.write_manifest(manifest)
    html = write([folder]).page.read_text(encoding="utf-8")
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html
