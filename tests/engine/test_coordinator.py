"""A comparison from images to rows: complete, repeatable, and nothing computed twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from fitted import GAIN
from skimage.restoration import denoise_tv_chambolle

from denobench import config, metrics, noise
from denobench.datasets import open_folder
from denobench.engine.coordinator import Outcome, carry_out
from denobench.engine.stages import training
from denobench.errors import DenobenchError
from denobench.progress import Silent
from denobench.rows import RunFolder

Compare = Callable[..., Outcome]

SHRINKS = """
class Shrinks(Gain):
    info = Info("shrinks", "Shrinks", tracks=("blind",))

    def fit(self, training, *, folder, progress):
        self.gain = 1 - max(training.levels)
        return pd.DataFrame({"epoch": [1], "kept": [True], "seconds": [0.1]})
"""


def test_every_cell_is_a_row_with_the_score_computed_by_hand(
    compare: Compare, image_folder: Path
) -> None:
    """A row's PSNR is that of reading, corrupting, denoising and scoring without the engine."""
    settings = {"noise": ["gaussian:0.1", "rician:0.05"], "realisations": 2, "stabilise": False}
    settings |= {"methods": ["identity", "tv"]}
    frame = compare(**settings).folder.frame()
    assert len(frame) == 2 * 3 * 2 * 2
    assert set(frame["status"]) == {"ok"}
    items = {item.id: item for item in open_folder(image_folder).items}
    chosen = frame[(frame["method"] == "tv") & (frame["noise"] == "rician")].iloc[3]
    clean = items[chosen["image"]].read(32)
    fields = noise.draw_fields(
        (2, 32, 32), seed=0, image=chosen["image_digest"], realisation=chosen["realisation"]
    )
    noisy = noise.corrupt(clean, noise.rician, 0.05, fields)
    denoised = np.clip(denoise_tv_chambolle(noisy, weight=0.7 * 0.05), 0, 1)
    assert chosen["psnr"] == pytest.approx(metrics.psnr(clean, denoised), abs=1e-9)


def test_second_run_computes_nothing(compare: Compare) -> None:
    """What is finished is not computed again, and a new method adds its own cells alone."""
    assert compare().computed == 6
    assert compare().computed == 0
    names = ["identity", "gaussian-filter", "median"]
    added = compare(methods=names)
    assert added.computed == 3
    assert {*added.folder.frame()["method"]} == {*names}


@pytest.mark.parametrize(
    ("settings", "computed"),
    [
        ({"methods": {"identity": {}, "gaussian-filter": {"width": 2.0}}}, 3),
        ({"size": 48}, 6),
        ({"seed": 1}, 6),
        ({"noise": ["gaussian:0.1", "gaussian:0.2"]}, 6),
        ({"limit": 4}, 2),
    ],
)
def test_exactly_what_a_change_concerns_is_computed(
    compare: Compare, finished: RunFolder, settings: dict[str, object], computed: int
) -> None:
    """A changed parameter, size, seed, level or limit computes its own cells, no others."""
    second = compare(**settings)
    if "seed" in settings:  # another seed also tests other images
        assert second.computed == second.cells
    else:
        assert second.computed == computed
    assert finished.path == second.folder.path


def test_edited_plugin_is_computed_again(compare: Compare, strangers: Path, tmp_path: Path) -> None:
    """A method whose source changes is stale; the others are not."""
    edited = tmp_path / "edited.py"
    edited.write_text(strangers.read_text())
    settings = {"plugins": [strangers], "methods": ["identity", "halves"]}
    assert compare(**settings).computed == 6
    edited.write_text(strangers.read_text() + "\n# edited\n")
    assert compare(**{**settings, "plugins": [edited]}).computed == 3


@pytest.mark.slow
def test_other_weights_are_stale_and_named_first(
    image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other weights make their method's cells stale alone, which is said before any is computed."""
    monkeypatch.setenv("DENOBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(training, "cores", lambda: 1)  # what is forked starts sooner
    plugin = tmp_path / "plugin.py"
    plugin.write_text(GAIN + SHRINKS)
    events: list[str] = []

    class Recorder(Silent):
        def say(self, text: str) -> None:
            events.append(text)

        def stage(self, name: str, done: float, total: float, text: str = "") -> None:
            if name == "Cells":
                events.append(f"{done:g} of {total:g} {text}")

    def run(highest: float) -> int:
        events.clear()
        settings = {
            "data": image_folder, "size": 32, "split": "paper", "limit": 2, "plugins": [plugin],
            "methods": {"identity": {}, "shrinks": {"levels": [0.1, highest]}},
            "noise": ["gaussian:0.1"], "timing": {"repeats": 0},
        }  # fmt: skip
        return carry_out(config.parse(settings, "test"), tmp_path / "run", Recorder()).computed

    assert run(0.2) == 4
    assert "stale" not in "".join(events)
    assert run(0.3) == 2
    assert events[0].startswith("2 rows of shrinks are stale")
    assert events[1] == "2 of 4 "
    assert run(0.3) == 0
    assert "stale" not in "".join(events)


def test_one_and_two_workers_give_the_same_rows(compare: Compare, tmp_path: Path) -> None:
    """The number of workers changes no score by a bit."""
    one = compare(tmp_path / "one", workers=1).folder.frame()
    two = compare(tmp_path / "two", workers=2).folder.frame()
    kept = ["key", "psnr", "ssim", "nrmse", "psnr_foreground", "field_digest"]
    assert one[kept].equals(two[kept])


def test_methods_share_the_noise(compare: Compare) -> None:
    """Every method sees the same noise field of an image, and levels scale one field."""
    frame = compare(noise=["gaussian:0.1", "gaussian:0.2"]).folder.frame()
    assert (frame.groupby("image")["field_digest"].nunique() == 1).all()
    assert frame["field_digest"].nunique() == 3


def test_strangers_methods_become_rows(compare: Compare, strangers: Path) -> None:
    """Whatever a method does, its cells are rows with the reason and the others finish."""
    names = ["raises", "wrong-shape", "integers", "not-finite", "changes-input", "exits"]
    outcome = compare(plugins=[strangers], methods=[*names, "halves", "median"], limit=2)
    frame = outcome.folder.frame().set_index("method")
    statuses = frame.groupby("method")["status"].first().to_dict()
    assert statuses == {
        **dict.fromkeys(names, "failed"),
        "exits": "crashed",
        "halves": "ok",
        "median": "ok",
    }
    errors = frame.groupby("method")["error"].first()
    assert "deliberately broken" in errors["raises"]
    assert "shape" in errors["wrong-shape"]
    assert "uint8" in errors["integers"]
    assert "NaN" in errors["not-finite"]
    assert "changed its input" in errors["changes-input"]
    assert len(frame) == 16


def test_hanging_method_is_stopped(compare: Compare, strangers: Path) -> None:
    """A cell that exceeds the time limit is a row, its worker is replaced and the rest finishes."""
    outcome = compare(plugins=[strangers], methods=["sleeps", "halves"], limit=2, timeout=2)
    statuses = outcome.folder.frame().groupby("method")["status"].unique()
    assert list(statuses["sleeps"]) == ["timeout"]
    assert list(statuses["halves"]) == ["ok"]


def test_timing_is_a_row_per_method(compare: Compare, strangers: Path) -> None:
    """The timing pass gives each method's spread, cold start and memory, or why it failed."""
    names = ["median", "halves", "raises"]
    outcome = compare(plugins=[strangers], methods=names, timing={"repeats": 3})
    timing = outcome.folder.table("timing").set_index("method")
    assert {*timing.index} == {*names}
    good = timing.loc[["median", "halves"]]
    assert (good["repeats"] == 3).all()
    assert (good["min_ms"] <= good["low_ms"]).all()
    assert (good["low_ms"] <= good["median_ms"]).all()
    assert (good["median_ms"] <= good["max_ms"]).all()
    assert (good["cold_ms"] > 0).all()
    assert (good["peak_mb"] > 10).all()
    assert timing.loc["raises", "status"] == "failed"
    assert "deliberately broken" in timing.loc["raises", "error"]
    before = (outcome.folder.path / "timing.csv").stat().st_mtime_ns
    compare(plugins=[strangers], methods=names, timing={"repeats": 3})
    assert (outcome.folder.path / "timing.csv").stat().st_mtime_ns == before


def test_unreadable_file_is_counted_and_the_rest_runs(
    image_folder: Path, tmp_path: Path, compare: Compare
) -> None:
    """A corrupt file is left out by name, and the manifest says so."""
    folder = tmp_path / "images"
    folder.mkdir()
    for number, path in enumerate(sorted(image_folder.rglob("*.png"))[:4]):
        (folder / f"{number}.png").write_bytes(path.read_bytes())
    (folder / "broken.png").write_bytes(b"no image at all")
    outcome = compare(data=folder)
    found = json.loads((outcome.folder.path / "manifest.json").read_text())["dataset"]
    assert found["images"] == 4
    assert [entry["path"] for entry in found["unreadable"]] == ["broken.png"]


def test_too_few_images_to_train_are_named(compare: Compare) -> None:
    """A network without training images is refused before anything is computed."""
    with pytest.raises(DenobenchError, match="cdae: has to be trained"):
        compare(methods=["cdae"], split="none")


def test_second_coordinator_is_refused(compare: Compare, tmp_path: Path) -> None:
    """A folder that another process fills is refused; a lock that nobody holds stops nobody."""
    (tmp_path / "run").mkdir()
    with FileLock(tmp_path / "run" / ".lock"), pytest.raises(DenobenchError, match="another"):
        compare()
    assert compare().computed == 6


def test_pictures_are_kept_for_the_gallery(finished: RunFolder) -> None:
    """The first test image's clean, noisy and denoised pixels are kept, and no other's."""
    shown = json.loads((finished.path / "manifest.json").read_text())["gallery"]
    assert len(shown) == 1
    assert len(list((finished.path / "gallery").iterdir())) == 1
    observation = shown[0]["observation"]
    kept = finished.gallery.observation(observation)
    assert kept is not None
    clean, noisy = kept
    rows = [row for row in finished.current() if row.image == shown[0]["image"]]
    assert len(rows) == 2
    for row in rows:
        answer = finished.gallery.answer(observation, row.key, clean.shape)
        assert answer is not None
        error = ((answer.astype(float) - clean) ** 2).mean()
        assert row.metrics["psnr"] == pytest.approx(-10 * np.log10(error), abs=1e-4)
        if row.method == "identity":
            np.testing.assert_array_equal(answer, np.clip(noisy, 0, 1))


def test_pictures_follow_their_cells(compare: Compare) -> None:
    """Back at an earlier size its pictures are shown again, none is computed or drawn over."""
    first = compare(size=48)
    before = {path: path.read_bytes() for path in (first.folder.path / "gallery").rglob("*.npy")}
    compare(size=32)
    again = compare(size=48)
    assert again.computed == 0
    assert again.folder.manifest().gallery == first.folder.manifest().gallery
    assert all(path.read_bytes() == content for path, content in before.items())
