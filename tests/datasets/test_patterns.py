"""What noisy files and references are called, by a pattern or by BIDS's entities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skimage import data

from denobench.config import parse
from denobench.datasets.pairs import PairItem
from denobench.datasets.patterns import Pattern, Sides, entities
from denobench.engine.planning.plan import make_plan
from denobench.errors import DenobenchError

CLEAN = data.camera()[::8, ::8].astype(np.float32)
NAMES = [
    *(f"sub-{s}/anat/sub-{s}_acq-fast_run-{r}_T1w.npy" for s in "ab" for r in (1, 2)),
    *(f"sub-{s}/anat/sub-{s}_acq-mean_T1w.npy" for s in "ab"),
    "sub-a/anat/sub-a_acq-fast_run-1_T2w.npy",
]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tree of two subjects, each with a mean and two fast acquisitions."""
    folder = tmp_path_factory.mktemp("study")
    rng = np.random.default_rng(0)
    for number, name in enumerate(NAMES):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shown = CLEAN if "sub-a" in name else CLEAN.T
        noise = 0 if "mean" in name else 10 + number
        np.save(path, shown + noise * rng.standard_normal(shown.shape).astype(np.float32))
    return folder


PATTERNS = {
    "noisy": "sub-{subject}/anat/*_acq-fast_run-{run}_T1w.npy",
    "reference": "**/sub-{subject}_acq-mean_T1w.npy",
}
ENTITIES = {
    "noisy": {"acq": "fast", "suffix": "T1w"},
    "reference": {"acq": "mean", "suffix": "T1w"},
}


@pytest.mark.parametrize(
    "pairs", [PATTERNS, ENTITIES, {**PATTERNS, "noisy": "sub-{subject}/anat/*T1w.npy"}]
)
def test_a_config_says_which_files_are_pairs(study: Path, pairs: dict[str, object]) -> None:
    """Each subject's runs are the realisations of its mean, which is no noisy image itself."""
    config = parse(
        {
            "data": study,
            "pairs": pairs,
            "noise": ["measured:0.05"],
            "methods": ["identity"],
            "split": "none",
            "size": "native",
            "scale": [0, 255],
        },
        "test",
    )
    plan = make_plan(config)
    found = {item.cluster: item for item in plan.test}
    assert len(found) == 2
    for item in found.values():
        assert isinstance(item, PairItem)
        subject = item.id.split("/")[0]
        assert [each.id for each in item.noisy] == [
            name for name in NAMES if name.startswith(subject) and "fast" in name and "T1w" in name
        ]
        shown = CLEAN if subject == "sub-a" else CLEAN.T
        np.testing.assert_allclose(item.observe().reference, shown / 255, atol=1e-6)
    assert len(plan.cells({})) == 4


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ({"noisy": "x_{run}.npy"}, "reference"),
        ({**PATTERNS, "noisi": "x"}, "Did you mean 'noisy'"),
        ({**PATTERNS, "noisy": "x_{run}.npy"}, r"\{subject\} is not in pairs.noisy"),
        ({**PATTERNS, "noisy": "x_{subject.npy"}, "is no pattern; names stand in braces"),
        ({**PATTERNS, "noisy": "{subject}_x.npy"}, "pairs.noisy: .* is the name of no file"),
        ({**ENTITIES, "noisy": {"aqc": "fast"}}, "Did you mean 'acq'"),
        ({**ENTITIES, "noisy": {"acq": "slow"}}, "pairs.noisy: .* is the name of no file"),
        ({**PATTERNS, "noisy": {"acq": "fast"}}, "both patterns, or both BIDS's entities"),
        ({"noisy": "**/*_run-{run}_*.npy", "reference": "**/*mean*"}, "has several references"),
    ],
)
def test_what_makes_no_pairs_is_refused(
    study: Path, pairs: dict[str, object], message: str
) -> None:
    """A mistake in a pattern or an entity is one sentence that names it."""
    with pytest.raises(DenobenchError, match=message):
        make_plan(parse({"data": study, "pairs": pairs, "noise": ["measured"]}, "test"))


def test_references_are_told_once(study: Path) -> None:
    """A folder of references and names of references exclude each other."""
    config = {"data": study, "references": study, "pairs": ENTITIES, "noise": ["measured"]}
    with pytest.raises(DenobenchError, match="references and pairs both say"):
        make_plan(parse(config, "test"))


def test_a_name_that_comes_twice_is_one_name() -> None:
    """``{subject}`` is the same in folder and file; stars stay in a name, two reach further."""
    pattern = Pattern.parse("sub-{subject}/**/sub-{subject}_*.nii", "pairs.noisy")
    assert pattern.match("sub-1/x/y/sub-1_a.nii") == {"subject": "1"}
    assert pattern.match("sub-1/sub-1_a.nii") == {"subject": "1"}
    assert pattern.match("sub-1/x/sub-2_a.nii") is None
    assert pattern.match("sub-1/x/sub-1_a/b.nii") is None


def test_entities_are_those_of_bids() -> None:
    """Key and value by dashes, the name's last part is the suffix."""
    name = "sub-01/ses-2/anat/sub-01_ses-2_acq-hi_run-1_T1w.nii.gz"
    expected = {"sub": "01", "ses": "2", "acq": "hi", "run": "1", "suffix": "T1w"}
    assert entities(name) == expected
    assert Sides.parse({"acq": "hi"}, {"acq": "lo"}).is_noisy(name)
