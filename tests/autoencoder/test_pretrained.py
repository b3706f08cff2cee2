"""The weights that come with the package are those of the default comparison, trained in full."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from denobench import config, models, noise
from denobench.engine.planning.plan import Plan, make_plan
from denobench.engine.stages.training import fitted_method
from denobench.models import Model


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The default comparison's plan."""
    return make_plan(config.load("quick"))


@pytest.fixture
def model(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """The weights that the default comparison finds where nothing was trained."""
    monkeypatch.setattr(models, "cache_folder", lambda: tmp_path)
    method, training, _ = next(plan.trainings())
    found = models.find(fitted_method(method), training)
    assert found is not None
    return found


def test_the_default_comparison_finds_them(model: Model) -> None:
    """They are found by what made them, with the history of all the paper's epochs."""
    assert model.shipped
    assert [*model.history["epoch"]] == [*range(1, 201)]
    assert model.record.epochs == 200
    assert model.record.kept_epoch == 200


def test_twelve_images_of_twelve_clusters_are_tested(plan: Plan) -> None:
    """The default has a cluster for each of its images, so that its tests can find something."""
    assert len(plan.test) == len({item.cluster for item in plan.test}) == 12


def test_key_and_file_are_what_they_were(model: Model) -> None:
    """Neither what makes the weights, nor the weights, have changed since they were trained."""
    assert model.key == "4e2204c9abd4520442f5384be27bcce21e12bb9cda7d84fea6b3ee083b916781"
    assert model.digest == "aca3286597fb33a87bd08dc5a78f9e15c110ddcccde62c38df8ede9a1221b3a5"


def test_scores_are_what_they_were(model: Model, plan: Plan) -> None:
    """The network's PSNR on a validation image is, to 0.001 dB, that of the first release."""
    method = fitted_method(next(plan.trainings())[0])
    method.load(model.weights)
    item = plan.splits[0].validation[0]
    clean = item.read(224)
    fields = noise.draw_fields((1, *clean.shape), seed=0, image=item.digest, realisation=0)
    noisy = noise.corrupt(clean, noise.gaussian, 0.1, fields)
    error = np.mean((np.clip(method.denoise(noisy, None), 0, 1).astype(float) - clean) ** 2)
    assert -10 * np.log10(error) == pytest.approx(28.1300, abs=1e-3)


def test_the_history_shows_learning(model: Model) -> None:
    """The loss has fallen far, and training and validation stay together."""
    history = model.history
    assert history["loss"].iloc[-1] < history["loss"].iloc[0] / 5
    assert history["val_loss"].iloc[-1] < 2 * history["loss"].iloc[-1]


def test_they_beat_doing_nothing_and_smoothing_at_the_highest_level(
    model: Model, plan: Plan
) -> None:
    """At 0.2 the network is above the noisy image and above a Gaussian filter of any width."""
    from scipy.ndimage import gaussian_filter

    method = fitted_method(next(plan.trainings())[0])
    method.load(model.weights)
    gains = []
    for item in plan.test[:3]:
        clean = item.read(224)
        fields = noise.draw_fields((1, *clean.shape), seed=0, image=item.digest, realisation=0)
        noisy = noise.corrupt(clean, noise.gaussian, 0.2, fields)
        answers = [noisy, *(gaussian_filter(noisy, width) for width in (1, 1.5, 2, 2.5))]
        errors = [np.mean((np.clip(answer, 0, 1) - clean) ** 2) for answer in answers]
        error = np.mean((method.denoise(noisy, None) - clean) ** 2)
        gains.append(10 * np.log10(min(errors) / error))
    assert np.mean(gains) > 0
