"""Tasks: every image is scored once per regime by models that have not seen its cluster."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from denobench import api, config
from denobench.engine import stale
from denobench.engine.coordinator import carry_out
from denobench.engine.planning.plan import make_plan
from denobench.engine.workers.answers import Answers
from denobench.errors import DenobenchError
from denobench.progress import Silent
from denobench.rows import RunFolder
from denobench.verification import verify

PLUGIN = """
import numpy as np
from pathlib import Path
from denobench.tasks import Classification, TaskModel

class Bright(TaskModel):
    name, title = "bright", "Brightest part"
    def prepare(self, image):
        return np.array([image[16:48, 16:48].mean()], np.float32)
    def fit(self, prepared, labels, *, seed):
        labels = np.asarray(labels)
        with Path(__file__).with_name("fits").open("a") as file:
            file.write(f"{len(labels)}\\n")
        here = Path(__file__)
        if here.with_name("stop").exists() and len(here.with_name("fits").read_text().split()) > 7:
            raise ValueError("no more")
        means = [prepared[labels == label].mean() for label in (0, 1)]
        self.middle = np.mean(means)
    def score(self, prepared):
        return 1 / (1 + np.exp(-50 * (prepared[:, 0] - self.middle)))

spots = Classification("spots", "Bright spot or not", (Bright,))
"""
SETTINGS = {
    "dataset": "folder", "size": 64, "split": "folds", "noise": ["gaussian:0.2"],
    "methods": ["identity", "gaussian-filter"], "timing.repeats": 0, "tasks": ["spots"],
    "metrics": ["psnr"], "gallery": 1, "workers": 1, "limit": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of images with and without a bright spot, each a cluster, and the plugin."""
    folder = tmp_path_factory.mktemp("tasks")
    (folder / "spots.py").write_text(PLUGIN)
    rng = np.random.default_rng(0)
    for label in ("yes", "no"):
        (folder / "images" / label).mkdir(parents=True)
        for number in range(12):
            pixels = np.kron(rng.integers(20, 120, (8, 8)), np.ones((8, 8)))
            if label == "yes":
                pixels[24:40, 24:40] = 250
            Image.fromarray(pixels.astype(np.uint8)).save(folder / f"images/{label}/{number}.png")
    return folder


@pytest.fixture(scope="module")
def settings(place: Path) -> dict[str, object]:
    return SETTINGS | {"data": str(place / "images"), "plugins": [str(place / "spots.py")]}


@pytest.fixture(scope="module")
def run(place: Path, settings: dict[str, object]) -> Path:
    """The folder of a finished run."""
    api.run("quick", settings, out=place / "run", progress=False)
    return place / "run"


@pytest.mark.slow
def test_every_image_is_scored_once_in_every_regime(run: Path) -> None:
    """There is a row per regime, method and image, and each fold's image is in that fold alone."""
    rows = pd.read_csv(run / "tasks.csv")
    assert rows["key"].is_unique
    assert (rows.groupby(["regime", "method"])["image"].nunique() == 24).all()
    assert {*map(tuple, rows[["regime", "method"]].drop_duplicates().to_numpy())} == {
        (regime, method)
        for regime in ("clean", "noisy", "denoised")
        for method in ("clean", "noisy", "gaussian-filter")
    }
    rows = rows[rows["regime"] != "random"]
    assert (rows.groupby("image")["fold"].nunique() == 1).all()
    assert (rows.groupby("cluster")["fold"].nunique() == 1).all()
    clean = rows[(rows["regime"] == "clean") & (rows["method"] == "clean")]
    assert (clean["prediction"] == clean["label"]).all()


def test_models_see_no_image_of_the_fold_that_they_score(run: Path, place: Path) -> None:
    """What a model is fitted on is what its fold leaves."""
    rows = pd.read_csv(run / "tasks.csv").drop_duplicates("image")
    expected = {24 - count for count in rows.groupby("fold")["image"].size()}
    assert {int(line) for line in (place / "fits").read_text().split()} == expected


def test_stopped_run_goes_on_where_it_was(
    place: Path, settings: dict[str, object], tmp_path: Path
) -> None:
    """A model that raises ends the run with its name; what was fitted before is kept."""
    (tmp_path / "spots.py").write_text((place / "spots.py").read_text())
    own = settings | {"plugins": [str(tmp_path / "spots.py")]}
    (tmp_path / "stop").touch()
    with pytest.raises(DenobenchError, match=r"spots: Brightest part on .*no more"):
        carry_out(config.load("quick", own), tmp_path / "run", Silent())
    kept = pd.read_csv(tmp_path / "run" / "tasks.csv")
    assert kept["fold"].nunique() == 5
    (tmp_path / "stop").unlink()
    carry_out(config.load("quick", own), tmp_path / "run", Silent())
    fits = (tmp_path / "fits").read_text().split()
    assert len(fits) == 15 + 1  # three sources, five folds, and the one that raised
    rows = pd.read_csv(tmp_path / "run" / "tasks.csv")
    assert {*kept["key"]} < {*rows["key"]}
    assert rows["key"].is_unique


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    """A run's folder whose answers are a link to somewhere else is refused."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run" / "tasks").mkdir(parents=True)
    (tmp_path / "run" / "tasks" / "answers").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DenobenchError, match="is a link, and nothing is written outside"):
        Answers.of(RunFolder(tmp_path / "run")).save("key", np.zeros((4, 4)))
    assert not [*(tmp_path / "elsewhere").iterdir()]


def test_run_again_fits_nothing_again(run: Path, place: Path, settings: dict[str, object]) -> None:
    """The same command computes nothing; another method costs its own fits alone."""
    before = len((place / "fits").read_text().split())
    rows = (run / "tasks.csv").read_text()
    api.run("quick", settings, out=run, progress=False)
    assert (run / "tasks.csv").read_text() == rows
    assert len((place / "fits").read_text().split()) == before


def checked(run: Path, sample: int) -> tuple[str, ...]:
    """Return what verification finds wrong."""
    folder = RunFolder.open(run)
    data = run.parent / "images"
    found = verify(folder, sample=sample, data=data, trust=True, progress=lambda *_: None)
    return found.problems


def test_rows_are_verified(run: Path, tmp_path: Path) -> None:
    """Models fitted again say the same; a score, or a row, that was changed is found out."""
    assert checked(run, 2) == ()
    table = pd.read_csv(run / "tasks.csv", dtype=str, keep_default_na=False)
    original = (run / "tasks.csv").read_text()
    try:
        table.assign(score="0.1234").to_csv(run / "tasks.csv", index=False)
        assert any("score is" in problem for problem in checked(run, 1))
        table.iloc[1:].to_csv(run / "tasks.csv", index=False)
        assert any("is missing" in problem for problem in checked(run, 1))
    finally:
        (run / "tasks.csv").write_text(original)


def test_what_no_task_looks_at_is_stale(run: Path) -> None:
    """Nothing of the plan is; a denoised image of another key is, and goes."""
    folder = RunFolder.open(run)
    assert stale.find(folder).files == ()
    left = run / "tasks" / "answers" / "left.npy"
    left.write_bytes(b"")
    assert stale.find(folder).files == (left,)
    stale.remove(folder, stale.find(folder))
    assert not left.exists()


def test_report_tells_what_was_found(run: Path) -> None:
    """A table and a figure stand in the report, with the references beside the method."""
    table = (run / "tables" / "spots-bright-gaussian.md").read_text()
    for text in ("Clean images", "Noisy images", "gaussian-filter", "24 images in 24 clusters"):
        assert text in table
    assert (run / "figures" / "use-spots-bright-gaussian.png").is_file()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"split": "cluster"}, "use split: folds"),
        ({"methods": ["tv"]}, "add identity"),
        ({"tasks": ["spotz"]}, "Did you mean 'spots'"),
        ({"limit": 4}, "two labels, 'yes' and another"),
        ({"tasks": ["tumour-segmentation"]}, "none of the 24 images has one"),
        ({"masks": "nowhere"}, "masks: .*nowhere does not exist"),
        ({"methods": {"identity": {}, "unet": {"training": "blind"}}}, "no weights of another"),
        ({"tasks": "spots"}, "must be a list"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    changes: dict[str, object], message: str, settings: dict[str, object]
) -> None:
    """One sentence in the plan, before anything is computed."""
    with pytest.raises(DenobenchError, match=message):
        make_plan(config.load("quick", settings | changes))


def test_images_without_two_labels_are_refused(place: Path, settings: dict[str, object]) -> None:
    """One class alone is named."""
    with pytest.raises(DenobenchError, match="two labels, 'yes' and another"):
        make_plan(config.load("quick", settings | {"data": str(place / "images" / "yes")}))
