"""The weights that come with the package are trained in full, and found by what made them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from denobench import config, methods, models, noise
from denobench.engine.planning.plan import Plan, make_plan
from denobench.engine.stages.training import fitted_method
from denobench.methods import FittedDenoiser
from denobench.models import Model
from denobench.networks import NetworkDenoiser

RESULTS = Path(__file__).parents[1] / "results" / "networks"
KEYS = {
    "cdae": "4e2204c9abd4520442f5384be27bcce21e12bb9cda7d84fea6b3ee083b916781",
    "unet": "c55ac08444c51c67789c00141b3be9ef0d283337c5538adc7c233a68403ed541",
    "cae": "c1c35f7911f7d60af45d014c18e6eef3a1ad10d4622dd7705e473d2d7cb08103",
    "sparse-dae": "481e1014868e8355a25ebfb47f8d23a7f3ec97cb911acb5c0febf38a44823adf",
    "contractive-dae": "3b6b05fd97b5d472db1fd349fcdf87b1fbd98eb8ee96dce55fed0eca9a2fd42f",
    "vae": "632b90eefe1a0f0bd19c017695480d3de39b5c8775e02f1e67ff552119347983",
    "dncnn": "2fc013218f683241a1f9eb6ca05bf1ef8bdd2820a3df33ad74d28f5b100c2da9",
    "r2unet": "0b2231f8847ac5ca52027edd2ca58e9bf513559b95dd73d880f30ff9e6f3f175",
}
DIGESTS = {
    "cdae": "aca3286597fb33a87bd08dc5a78f9e15c110ddcccde62c38df8ede9a1221b3a5",
    "unet": "f68d5cfdd9135c5fb067df9321d77d0c184733997fc53bd862f64d95e8252537",
    "cae": "baa3cede756ae1161fd3ce89b0aee962b7026d6a1b3fbf2c673b8a840563b997",
    "sparse-dae": "5c2b048db37053f77ea0b68c98597573818298153c71f6cc522b92658042ae57",
    "contractive-dae": "f670db0f9c6de77e7bfd1ada42b130ecb4a83c40f04563ae7e7fd0db95b40377",
    "vae": "39c57e3929a309ee822adee912db135a22f064f314d882c3c75fc477b5e2daf5",
    "dncnn": "c773b08d3d220e88a65837308e1f928fa03c38d92de955cd06d87c9613f455f3",
    "r2unet": "d358974b30585fe579739003fd11af6d7b4fcd2a2457fa9dad8ba02ac8af78ab",
}
EPOCHS = {**dict.fromkeys(KEYS, 30), "cdae": 200, "dncnn": 8, "r2unet": 15}
PSNR = {  # of a validation image at 0.1, in dB
    "cdae": 28.1300,
    "unet": 32.5639,
    "cae": 29.4341,
    "sparse-dae": 29.4920,
    "contractive-dae": 29.2179,
    "vae": 24.8124,
    "dncnn": 30.5240,
    "r2unet": 31.0324,
}


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The default comparison's plan."""
    return make_plan(config.load("quick"))


@pytest.fixture(scope="module")
def others() -> Plan:
    """The plan of the comparison of networks, on the simulated set."""
    return make_plan(config.load("networks", {"dataset": "simulated"}))


def shipped(plan: Plan) -> dict[str, Model]:
    """Return the weights that a comparison finds where nothing was trained."""
    pairs = (
        (each.name, models.find(fitted_method(each), told)) for each, told, _ in plan.trainings()
    )
    return {name: model for name, model in pairs if model is not None}


@pytest.fixture
def found(
    plan: Plan, others: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Model]:
    """The weights that come with the package, by method."""
    monkeypatch.setattr(models, "cache_folder", lambda: tmp_path)
    return shipped(others) | shipped(plan)


def psnr(method: FittedDenoiser, plan: Plan, level: float) -> float:
    """Return the PSNR of a validation image, dB."""
    item = plan.splits[0].validation[0]
    clean = item.read(224)
    fields = noise.draw_fields((1, *clean.shape), seed=0, image=item.digest, realisation=0)
    noisy = noise.corrupt(clean, noise.gaussian, level, fields)
    error = np.mean((np.clip(method.denoise(noisy, level), 0, 1).astype(float) - clean) ** 2)
    return float(-10 * np.log10(error))


def test_the_default_comparison_trains_nothing(found: dict[str, Model], plan: Plan) -> None:
    """It finds the weights of all its networks."""
    assert {*shipped(plan)} == {each.name for each, _, _ in plan.trainings()} == {"cdae", "unet"}


def test_they_are_found(found: dict[str, Model]) -> None:
    """They are found by what made them, with the history of all the epochs."""
    assert {*found} == {*KEYS} == {model.record.method for model in models.models()}
    for name, model in found.items():
        assert model.shipped
        assert [*model.history["epoch"]] == [*range(1, EPOCHS[name] + 1)]
        assert model.record.epochs == model.record.kept_epoch == EPOCHS[name]


def test_twelve_images_of_twelve_clusters_are_tested(plan: Plan) -> None:
    """The default has a cluster for each of its images, so that its tests can find something."""
    assert len(plan.test) == len({item.cluster for item in plan.test}) == 12


def test_keys_and_files_are_what_they_were(found: dict[str, Model]) -> None:
    """Neither what makes the weights, nor the weights, have changed since they were trained."""
    assert {name: model.key for name, model in found.items()} == KEYS
    assert {name: model.digest for name, model in found.items()} == DIGESTS


@pytest.mark.parametrize("name", KEYS)
def test_scores_are_what_they_were(name: str, found: dict[str, Model], plan: Plan) -> None:
    """A network's PSNR on a validation image is, to 0.001 dB, that of its first release."""
    method = methods.build(name, {})
    assert isinstance(method, FittedDenoiser)
    method.load(found[name].weights)
    assert psnr(method, plan, 0.1) == pytest.approx(PSNR[name], abs=1e-3)


@pytest.mark.parametrize("name", [name for name in KEYS if name not in ("cdae", "r2unet")])
def test_half_precision_is_enough(name: str, plan: Plan) -> None:
    """Rounding a trained network's weights to half precision changes a PSNR by 0.01 dB at most."""
    method = methods.build(name, {})
    assert isinstance(method, NetworkDenoiser)
    method.load(*(RESULTS / "models").glob(f"{name}[-_]gaussian[-_]*.npz"))
    exact = [psnr(method, plan, level) for level in (0.05, 0.1, 0.2)]
    whole = method._fitted()
    method._weights = {k: w.astype(np.float16).astype(np.float32) for k, w in whole.items()}
    method._model = None
    rounded = [psnr(method, plan, level) for level in (0.05, 0.1, 0.2)]
    assert rounded != exact
    np.testing.assert_allclose(rounded, exact, atol=0.01)
