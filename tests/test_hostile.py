"""A run's folder is data, also a stranger's: nothing in it is run, nothing beside it is touched."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import denobench
from denobench.engine import stale, status
from denobench.errors import DenobenchError
from denobench.gallery import Pictures
from denobench.manifest import Manifest, parse
from denobench.progress import unheard
from denobench.report import write
from denobench.rows import Row, RunFolder
from denobench.verification import verify

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><svg onload=alert(3)>"
NAMES = ["../../x", "/tmp/x", "a/b", "a-b", "tv+", "tv*", "clean", "..", "x" * 300, "σ 脳", SCRIPT]


def row(name: str, score: str, image: str) -> Row:
    return Row(
        key=f"../{name} {image}", method=name, parameters="{}", track="blind", noise="../noise",
        level=0.1, realisation=0, image=image, label=SCRIPT, cluster=image, status="ok",
        metrics={"psnr": 20.0 + len(name) % 7, "ssim": 0.5, score: float(len(image))},
        missing={"nrmse": SCRIPT}, image_digest=image, field_digest=image,
    )  # fmt: skip


def hostile(path: Path) -> RunFolder:
    """Write a run whose every text wants out of its place."""
    folder = RunFolder(path)
    path.mkdir(parents=True)
    images = ["../../image.png", SCRIPT, "c" * 400]
    rows = [row(name, NAMES[n], image) for n, name in enumerate(NAMES) for image in images]
    rows += [replace(rows[0], key="f", method="bad", status="failed", error=SCRIPT, metrics={})]
    folder.store.add(rows)
    folder.write_plan([each.key for each in rows])
    told = {
        "name": SCRIPT, "created": SCRIPT, "seed": 0, "size": SCRIPT,
        "config": {"split": SCRIPT, "reference": SCRIPT, "methods": {SCRIPT: None},
                   "plugins": [str(path / "plugin.py")], "tuning": {"trials": 3}},
        "dataset": {"name": SCRIPT, "remark": SCRIPT, "labels": {SCRIPT: 3},
                    "unreadable": [{"path": SCRIPT, "reason": SCRIPT}]},
        "methods": {name: {"title": f"{name} {SCRIPT}", "notes": SCRIPT, "licence": SCRIPT,
                           "reference": SCRIPT, "remark": SCRIPT, "track": SCRIPT,
                           "parameters": {SCRIPT: SCRIPT}, "training": {"epochs": 1}}
                    for name in NAMES},
        "metrics": {"psnr": {"title": SCRIPT, "unit": SCRIPT, "settings": {SCRIPT: SCRIPT}}},
        "noise_models": {"../noise": {"title": SCRIPT}},
        "protocol": {"foreground": SCRIPT, "clip": [0, 1]},
        "gallery": [{"image": images[0], "noise": "../noise", "level": 0.1,
                     "observation": "../../observation"}],
        "versions": {SCRIPT: SCRIPT}, "hardware": {"cpu": SCRIPT, "platform": SCRIPT},
        "git": {"commit": SCRIPT}, "models": ["../../model.npz", SCRIPT],
    }  # fmt: skip
    folder.write_manifest(parse(told, "test"))
    rng = np.random.default_rng(0)
    shown = [each for each in rows if each.image == images[0]]
    for each in shown:
        pictures = Pictures(*(rng.random((16, 16)).astype(np.float32) for _ in range(3)))
        folder.gallery.save("../../observation", each.key, pictures)
    line = f'"{NAMES[0]}",ok,1,16,1.0,"{SCRIPT.replace(chr(34), chr(34) * 2)}"\n'
    (path / "timing.csv").write_text("method,status,threads,size,median_ms,versions\n" + line)
    (path / "plugin.py").write_text(f"open({str(path.parent / 'ran')!r}, 'w').write('')\n")
    return folder


def outside(root: Path, run: Path) -> dict[str, bytes]:
    """Return all that lies below a folder, but not in the run's."""
    found = {}
    for parent, folders, names in os.walk(root):
        folders[:] = [name for name in folders if Path(parent, name) != run]
        for name in names:
            path = Path(parent, name)
            found[str(path)] = (
                os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
            )
    return found


class Tags(HTMLParser):
    """Collects scripts, handlers and addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(tag, name, value or "") for name, value in attrs]
        if tag in ("script", "svg", "iframe", "object", "base", "form"):
            self.found.append((tag, "", ""))


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    """Report a hostile run in its own folder, and see that nothing beside it changed."""
    root = tmp_path_factory.mktemp("hostile")
    folder = hostile(root / "deep" / "er" / "run")
    before = outside(root, folder.path)
    write([folder])
    status.read(folder.path)
    stale.remove(folder, stale.find(folder))
    assert outside(root, folder.path) == before
    yield folder
    assert not (root / "deep" / "er" / "ran").exists()


@pytest.mark.slow
def test_names_stay_in_the_folder(reported: RunFolder) -> None:
    """Each score has tables of its own, in the folder, of a name that every system takes."""
    tables = {path.stem for path in (reported.path / "tables").iterdir()}
    assert len([name for name in tables if "paired" not in name]) >= len(NAMES)
    for path in reported.path.rglob("*"):
        assert path.name.isascii()
        assert len(path.name) < 90
        assert not path.is_symlink()


def test_texts_stay_texts_on_the_page(reported: RunFolder) -> None:
    """No text of the folder becomes a tag, a handler or an address of the page."""
    page = (reported.path / "report.html").read_text("utf-8")
    tags = Tags()
    tags.feed(page)
    kinds = {value for tag, name, value in tags.found if (tag, name) == ("script", "type")}
    assert kinds <= {"application/json", "application/octet-stream", "module", "text/plain"}
    for tag, name, value in tags.found:
        assert not name.startswith("on"), (tag, name)
        assert tag not in ("svg", "iframe", "object", "base"), tag
        if name in ("src", "href", "xlink:href", "action"):
            assert value.startswith(("#", "data:image/")), value[:60]
    assert "alert(1)" in page
    assert "<script>alert" not in page


def test_what_verify_finds_is_said_without_running_anything(reported: RunFolder) -> None:
    """The tables are made again without images; rows need plugins, which are not imported."""
    found = verify(reported, sample=0, progress=unheard)
    assert found.problems == ()
    with pytest.raises(DenobenchError, match=r"plugin\.py, and no code is run .*--plugin.*--trust"):
        verify(reported, sample=1, progress=unheard)


OWN = ("tables", "figures", "gallery", "models")
FILES = ("report.html", "report.json", "text.md", "rows.csv", "rows.parquet", "progress.json")
FILES += ("tables/quality-gaussian.md", "figures/quality-gaussian.png")


@pytest.fixture
def small(tmp_path: Path) -> RunFolder:
    """A harmless run with something stale."""
    folder = RunFolder(tmp_path / "run")
    rows = [
        replace(row(name, "psnr", image), noise="gaussian", key=f"{name} {image}", missing={})
        for name in ("tv", "identity")
        for image in ("a.png", "b.png")
    ]
    folder.path.mkdir()
    folder.store.add(rows)
    folder.write_plan([each.key for each in rows])
    folder.write_manifest(Manifest())
    return folder


@pytest.mark.parametrize("name", OWN)
def test_nothing_goes_through_a_linked_folder(small: RunFolder, name: str) -> None:
    """A folder of the run that is a link: nothing behind it is written or removed."""
    theirs = small.path.parent / "theirs"
    (theirs / "deep" / "answers").mkdir(parents=True)
    for path in ("a.npy", "deep/b.npz", "deep/answers/c.npy"):
        (theirs / path).write_bytes(b"theirs")
    (small.path / name).symlink_to(theirs, target_is_directory=True)
    before = outside(small.path.parent, small.path)
    found = stale.find(small)
    assert found.files == ()
    # As if a link had been put there after the look, and for the paths behind it.
    stale.remove(small, replace(found, files=(small.path / name / "a.npy",)))
    if name in ("tables", "figures"):
        with pytest.raises(DenobenchError, match=f"{name} is a link"):
            write([small])
    assert outside(small.path.parent, small.path) == before


def test_nothing_goes_through_a_folder_below_that_is_a_link(small: RunFolder) -> None:
    """The same for a link in the gallery, and for one that leads back to the folder itself."""
    theirs = small.path.parent / "theirs"
    theirs.mkdir()
    (theirs / "a.npy").write_bytes(b"theirs")
    (small.path / "gallery" / "o").mkdir(parents=True)
    (small.path / "gallery" / "linked").symlink_to(theirs, target_is_directory=True)
    (small.path / "gallery" / "o" / "answers").symlink_to(theirs, target_is_directory=True)
    (small.path / "gallery" / "loop").symlink_to(small.path, target_is_directory=True)
    (small.path / "gallery" / "o" / "stray.npy").write_bytes(b"ours")
    stale.remove(small, stale.find(small))
    assert (theirs / "a.npy").read_bytes() == b"theirs"
    assert small.path.joinpath("manifest.json").is_file()
    assert not small.path.joinpath("gallery", "o", "stray.npy").exists()


def test_files_that_are_links_are_replaced(small: RunFolder) -> None:
    """A report's file that is a link to another place is replaced, not written through."""
    theirs = small.path.parent / "theirs"
    theirs.write_bytes(b"theirs")
    for name in FILES:
        (small.path / name).parent.mkdir(exist_ok=True)
        if name not in ("rows.parquet", "progress.json"):
            (small.path / name).symlink_to(theirs)
    write([small])
    assert theirs.read_bytes() == b"theirs"
    assert not (small.path / "report.html").is_symlink()


@pytest.mark.parametrize("link", [os.symlink, os.link])
@pytest.mark.parametrize("name", [".lock", "rows.sqlite", "run.log", "workers.log"])
def test_files_written_in_place_are_no_links(
    small: RunFolder, image_folder: Path, name: str, link: Callable[[Path, Path], None]
) -> None:
    """A lock, store or log that is a link, soft or hard, is refused by `clean` and by a run."""
    theirs = small.path.parent / "theirs"
    if name == "rows.sqlite":
        shutil.move(small.path / name, theirs)
    else:
        theirs.write_bytes(b"theirs")
    before = theirs.read_bytes()
    link(theirs, small.path / name)
    if name in (".lock", "rows.sqlite"):
        with pytest.raises(DenobenchError, match=f"{name} is a link"):
            stale.remove(small, replace(stale.find(small), rows=frozenset(["a"])))
    settings = {"data": image_folder, "limit": 1, "methods": ["identity"]}
    with pytest.raises(DenobenchError, match=f"{name} is a link"):
        denobench.run("quick", settings, out=small.path, progress=False)
    assert theirs.read_bytes() == before


def test_a_run_below_a_link_is_the_users_own(small: RunFolder) -> None:
    """Where the user gives a path that leads through a link, the run is written there."""
    link = small.path.parent / "link"
    link.symlink_to(small.path.parent, target_is_directory=True)
    assert write([RunFolder(link / "run")]).page.is_file()


def change(path: Path, **values: object) -> None:
    told = json.loads(path.read_text())
    path.write_text(json.dumps({**told, **values}))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "manifest.json": lambda run: os.truncate(run / "manifest.json", 40),
    "manifest.json: seed": lambda run: change(run / "manifest.json", seed=float("inf")),
    "plan.json": lambda run: (run / "plan.json").write_text('{"cells": ["tv'),
    "rows.sqlite": lambda run: os.truncate(run / "rows.sqlite", 3000),
    "timing.csv": lambda run: (run / "timing.csv").write_text(""),
    "training.csv": lambda run: (run / "training.csv").write_text("method\ntv"),
    "tuning.csv": lambda run: (run / "tuning.csv").write_bytes(b"\x00\xff\n"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_one_error_of_every_verb(
    small: RunFolder, name: str, program: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """A file left in part ends `report` with exit code 2 and one line that names it."""
    DAMAGE[name](small.path)
    found = program("report", small.path)
    assert found.returncode == 2, found.stderr
    text = " ".join(found.stderr.split())
    assert f"run/{name}" in text
    assert "Traceback" not in text


def test_a_view_that_never_ends_is_not_read(small: RunFolder) -> None:
    """A store whose rows are a view is refused before the view is asked."""
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS key FROM n"
    )
    with closing(sqlite3.connect(small.path / "rows.sqlite")) as database:
        database.execute("DROP TABLE rows")
        database.execute(f"CREATE VIEW rows AS {endless}")
        database.commit()
    for use in (status.read, lambda path: write([RunFolder(path)])):
        with pytest.raises(DenobenchError, match=r"rows\.sqlite.*view"):
            use(small.path)
