"""Training: what it draws, that it learns, that stopping it changes nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny import Tiny

from denobench.datasets import Item, open_folder
from denobench.errors import DenobenchError
from denobench.methods import TrainingSet
from denobench.networks import checkpoints, samples

SIZE = 32
HELPERS = Path(__file__).parents[1] / "helpers"


def silent(done: float, total: float, text: str = "") -> None:
    """Say nothing."""


def make(items: tuple[Item, ...], **changes) -> TrainingSet:
    """Return a training set of 12 training and 4 validation images."""
    made = TrainingSet(items[:12], items[12:16], SIZE, "gaussian", (0.05, 0.1, 0.2), 0)
    return replace(made, **changes)


@pytest.fixture(scope="session")
def items(image_folder: Path) -> tuple[Item, ...]:
    """Return the items of the folder of small images."""
    return open_folder(image_folder).items


@pytest.fixture(scope="module")
def trained(items, tmp_path_factory):
    """Return a method trained for six epochs, its history, its folder and what progress it told."""
    folder = tmp_path_factory.mktemp("trained")
    told = []
    method = Tiny(epochs=6, batch_size=5)
    history = method.fit(
        make(items), folder=folder, progress=lambda *arguments: told.append(arguments)
    )
    return method, history, folder, told


def test_history(trained):
    """There is one row per epoch with the columns a report needs, and the last one is kept."""
    _, history, _, _ = trained
    assert list(history.columns) == [
        "epoch",
        "loss",
        "val_loss",
        "val_psnr",
        "learning_rate",
        "seconds",
        "images_per_second",
        "in_step",
        "device",
        "backend",
        "kept",
    ]
    assert list(history.epoch) == [1, 2, 3, 4, 5, 6]
    assert list(history.kept) == [False] * 5 + [True]
    numbers = history.drop(columns=["kept", "device", "backend"])
    assert np.isfinite(numbers.to_numpy(float)).all()
    assert {*history.device} == {"cpu"}
    assert ((history.in_step > 0) & (history.in_step < 1)).all()
    assert history.learning_rate.is_monotonic_decreasing
    assert history.learning_rate[0] == 1e-2


def test_it_learns(items, tmp_path):
    """Trained on two images, it fits them better than a constant could."""
    two = items[:1] + items[5:6]
    training = make(two, train=two, validation=two, levels=(0.05,))
    history = Tiny(epochs=60, batch_size=2, learning_rate=0.03).fit(
        training, folder=tmp_path, progress=silent
    )
    constant = np.mean([item.read(SIZE).var() for item in two])
    assert history.loss[0] > constant
    assert history.loss.iloc[-1] < constant / 2
    assert history.val_loss.iloc[-1] < constant / 2


def test_validation_scores_are_those_of_the_method(trained, items):
    """The history's last val_psnr is what the trained method scores on the validation images."""
    method, history, _, _ = trained
    training = make(items)
    scores = []
    for index, item in enumerate(training.validation):
        clean = item.read(SIZE)
        noisy = samples.noisy_image(
            training, clean, item.digest, 0, "validation", training.levels[index % 3]
        )
        scores.append(-10 * np.log10(np.mean((method.denoise(noisy, None) - clean) ** 2)))
    assert history.val_psnr.iloc[-1] == pytest.approx(np.mean(scores), abs=1e-3)


def test_progress_counts_epochs(trained):
    """Progress rises from step to step up to the number of epochs, and speaks of the epoch."""
    _, _, _, told = trained
    done = [entry[0] for entry in told]
    assert done == sorted(done)
    assert len(told) == 6 * 3
    assert told[-1][:2] == (6, 6)
    assert told[-1][2].startswith("epoch 6/6 loss 0.")
    assert "dB" in told[-1][2]


def test_resuming_a_finished_training_changes_nothing(trained, items):
    """Fitting again from the last checkpoint returns the same weights without training."""
    method, history, folder, _ = trained
    again = Tiny(epochs=6, batch_size=5)
    told: list[object] = []
    history_again = again.fit(
        make(items), folder=folder, progress=lambda *arguments: told.append(arguments)
    )
    assert not told
    assert history_again.equals(history)
    image = np.zeros((SIZE, SIZE), np.float32)
    np.testing.assert_array_equal(again.denoise(image, None), method.denoise(image, None))


CHILD = """
import sys
from pathlib import Path
from denobench.datasets import open_folder
from denobench.methods import TrainingSet
from tiny import Tiny
images, folder = map(Path, sys.argv[1:])
items = open_folder(images).items
training = TrainingSet(items[:12], items[12:16], 32, "gaussian", (0.05, 0.2), 0)
method = Tiny(epochs=12, batch_size=4, keep="best", average=0.9, crop=24, turns=True)
method.fit(training, folder=folder, progress=lambda done, *_: print(done, flush=True))
"""


class _Stopped(BaseException):
    """Ends a training where it stands."""


@pytest.mark.slow
def test_killed_training_ends_with_the_same_bits(image_folder, items, tmp_path):
    """Killed once, stopped twice, and started again each time, it ends with the same file."""
    training = make(items, levels=(0.05, 0.2))

    def fit(name: str, steps: int = 1000) -> None:
        left = iter(range(steps))

        def progress(*_: object) -> None:
            if next(left, None) is None:
                raise _Stopped

        method = Tiny(epochs=12, batch_size=4, keep="best", average=0.9, crop=24, turns=True)
        method.fit(training, folder=tmp_path / name, progress=progress)
        method.save(tmp_path / f"{name}.npz")

    fit("undisturbed")
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(image_folder), str(tmp_path / "killed")],
        cwd=HELPERS,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert "2" in (line.strip() for line in process.stdout)  # two epochs
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    for steps in (4, 7):  # within an epoch, and at the end of one
        with pytest.raises(_Stopped):
            fit("killed", steps)
    assert not (tmp_path / "killed.npz").exists()
    fit("killed")
    one, two = ((tmp_path / f"{name}.npz").read_bytes() for name in ("undisturbed", "killed"))
    assert one == two


def test_keep_best(items, tmp_path):
    """keep: best returns the weights of the epoch of highest validation PSNR."""
    method = Tiny(epochs=4, batch_size=6, learning_rate=0.5, decay="none", keep="best")
    history = method.fit(make(items), folder=tmp_path, progress=silent)
    best = history.val_psnr.idxmax()
    assert list(history.kept) == [index == best for index in range(4)]
    shorter = Tiny(epochs=int(best) + 1, batch_size=6, learning_rate=0.5, decay="none")
    shorter.fit(make(items), folder=tmp_path / "shorter", progress=silent)
    method.save(tmp_path / "best.npz")
    shorter.save(tmp_path / "shorter.npz")
    assert (tmp_path / "best.npz").read_bytes() == (tmp_path / "shorter.npz").read_bytes()


def test_infinite_loss_stops(items, tmp_path, monkeypatch):
    """A loss that is not finite raises, and the last good checkpoint is still there."""
    noisy_image = samples.noisy_image

    def overflow(training, image, digest, number, stream, level):
        made = noisy_image(training, image, digest, number, stream, level)
        return made * np.float32(np.inf) if (stream, number) == ("train", 1) else made

    monkeypatch.setattr(samples, "noisy_image", overflow)
    with pytest.raises(DenobenchError, match=r"in epoch 2; a learning_rate below 0\.01 may help"):
        Tiny(epochs=3).fit(make(items), folder=tmp_path, progress=silent)
    kept = checkpoints.read(tmp_path, Tiny(epochs=3).weights_key(make(items)))
    assert kept is not None
    assert len(kept.history) == 1
    assert all(np.isfinite(weight).all() for weight in kept.weights)


def test_checkpoint_of_another_training_is_refused(trained, items):
    """A folder with the checkpoint of another recipe raises and says what to do."""
    _, _, folder, _ = trained
    with pytest.raises(DenobenchError, match="checkpoint of another training"):
        Tiny(epochs=7, batch_size=5).fit(make(items), folder=folder, progress=silent)


def test_damaged_checkpoint_is_refused(items, tmp_path):
    """A checkpoint that is no archive raises and names the file."""
    (tmp_path / checkpoints.FILE).write_bytes(b"not an archive")
    with pytest.raises(DenobenchError, match=r"checkpoint\.npz: cannot be read"):
        Tiny(epochs=1).fit(make(items), folder=tmp_path, progress=silent)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": None}, "set a size"),
        ({"train": ()}, "at least one training image"),
        ({"levels": ()}, "at least one noise level"),
    ],
)
def test_unfit_training_sets(items, tmp_path, changes, message):
    """What cannot be trained on raises one clear error."""
    with pytest.raises(DenobenchError, match=message):
        Tiny(epochs=1).fit(make(items, **changes), folder=tmp_path, progress=silent)


def test_without_validation_images(items, tmp_path):
    """Training works without validation images; only keep: best needs them."""
    training = make(items, validation=())
    history = Tiny(epochs=1).fit(training, folder=tmp_path, progress=silent)
    assert history.val_psnr.isna().all()
    with pytest.raises(DenobenchError, match="needs validation images"):
        Tiny(epochs=1, keep="best").fit(training, folder=tmp_path, progress=silent)


def test_sides_that_are_no_multiple_of_the_factor(items, tmp_path):
    """Training images of any one size are padded as images to denoise are."""
    history = Tiny(epochs=1).fit(make(items, size=29), folder=tmp_path, progress=silent)
    assert np.isfinite(history.val_psnr).all()


def test_the_average_is_what_is_kept(items, tmp_path):
    """The kept weights are the running average of those after every step, bias-free at first."""
    steps = []

    class Watched(Tiny):
        def compile(self, model, optimiser):
            super().compile(model, optimiser)
            plain = model.train_on_batch

            def train(*arguments):
                loss = plain(*arguments)
                steps.append(model.get_weights())
                return loss

            model.train_on_batch = train

    method = Watched(epochs=2, batch_size=6, average=0.5)
    method.fit(make(items), folder=tmp_path, progress=silent)
    assert len(steps) == 4
    mean = steps[0]
    for number, weights in enumerate(steps[1:], 2):
        share = min(0.5, number / (number + 10))
        mean = [share * old + (1 - share) * new for old, new in zip(mean, weights, strict=True)]
    method.save(tmp_path / "kept.npz")
    with np.load(tmp_path / "kept.npz") as kept:
        for name, expected in zip(kept.files, mean, strict=True):
            np.testing.assert_allclose(kept[name], expected, atol=1e-6)


def test_told_networks_use_sigma(items, tmp_path):
    """A network that is told sigma answers differently for another sigma."""
    method = Tiny(training="told", epochs=3, crop=16, crops=4, turns=True, warm_up=0.5)
    method.fit(make(items), folder=tmp_path, progress=silent)
    image = items[0].read(SIZE)
    assert not np.array_equal(method.denoise(image, 0.05), method.denoise(image, 0.2))
