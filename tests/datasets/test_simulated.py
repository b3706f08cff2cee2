"""The simulated set is what it says: counted, split, exact, free of noise, and as hard as MR."""

from __future__ import annotations

import itertools
from collections import Counter
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest

from baselines.fast_bm3d import denoise_bm3d
from denobench.datasets import anatomy, simulated
from denobench.errors import DenobenchError

# The 253 real images (grey, 224 x 224, INTER_AREA), measured by `slope` below: mean, SD 0.54.
REAL_SLOPE = -3.65
# BM3D on 12 real test images at sigma 0.1, unclipped in, clipped out, whole image, in dB.
REAL_BM3D = 31.19


@pytest.fixture(scope="module")
def everything() -> list[tuple[np.ndarray, np.ndarray]]:
    return [simulated.read(index) for index in range(simulated.COUNT)]


@pytest.fixture(scope="module")
def images(everything: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    return np.stack([image for image, _ in everything])


@pytest.fixture(scope="module")
def masks(everything: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    return np.stack([mask for _, mask in everything])


def of_part(part: str) -> list[simulated.Slice]:
    return [s for s in simulated.slices() if s.part == part]


def slope(image: np.ndarray) -> float:
    """Return the slope of log power over log frequency, 0.05 to 0.4 cycles a pixel, Hann window."""
    n = len(image)
    window = np.outer(np.hanning(n), np.hanning(n))
    power = np.abs(np.fft.fft2((image - image.mean()) * window)) ** 2
    radius = np.hypot(np.fft.fftfreq(n)[:, None], np.fft.fftfreq(n)[None, :])
    edges = np.linspace(0.05, 0.4, 15)
    rings = [power[(radius >= a) & (radius < b)].mean() for a, b in itertools.pairwise(edges)]
    return float(np.polyfit(np.log((edges[1:] + edges[:-1]) / 2), np.log(rings), 1)[0])


def test_slices_are_counted_as_in_the_real_set() -> None:
    """There are 253 slices, 155 with a tumour, and 50 for testing, 31 of these with a tumour."""
    everything = simulated.slices()
    assert [s.index for s in everything] == list(range(253))
    assert everything[7].name == "simulated-007"
    assert Counter(s.label for s in everything) == {"yes": 155, "no": 98}
    assert Counter(s.part for s in everything) == {"train": 166, "validation": 37, "test": 50}
    assert Counter(s.label for s in of_part("test")) == {"yes": 31, "no": 19}


@pytest.mark.parametrize("seed", [0, 1, 17])
def test_first_test_slices_are_a_mix(seed: int) -> None:
    """The first twelve test slices hold all orientations, contrasts and labels, in twelve slabs."""
    test = [s for s in simulated.slices(seed) if s.part == "test"]
    first = test[:12]
    assert {s.orientation for s in first} == set(anatomy.AXES)
    assert {s.contrast for s in first} == set(anatomy.CONTRASTS)
    assert {s.label for s in first} == {"yes", "no"}
    assert len({s.slab for s in first}) == 12
    assert len({s.slab for s in test}) == 13


def test_training_slices_are_those_of_the_first_version() -> None:
    """What trains and validates stays, whatever becomes of the test: shipped weights are of it."""
    text = " ".join(
        f"{s.index}:{s.slab}:{s.label}:{s.contrast}" for s in simulated.slices() if s.part != "test"
    )
    assert sha256(text.encode()).hexdigest().startswith("a1d7bded3a992e2c")


def test_parts_come_from_slabs_apart() -> None:
    """No slab comes nearer than 2 mm to another of its orientation, and each is of one part."""
    where = simulated.slabs()
    parts = [{s.slab for s in of_part(part)} for part in ("test", "validation", "train")]
    assert set.union(*parts) == set(where)
    assert sum(map(len, parts)) == len(where)
    for one, other in itertools.combinations(where, 2):
        if one.split("-")[0] == other.split("-")[0]:
            (low, high), (other_low, other_high) = where[one], where[other]
            assert max(low, other_low) - min(high, other_high) >= 2.0 - 1e-9


@pytest.mark.parametrize("orientation", anatomy.AXES)
@pytest.mark.parametrize("diseased", [False, True])
def test_slice_stays_inside_its_slab(orientation: str, diseased: bool) -> None:
    """However it is deformed, a slice samples the template inside its slab only."""
    slab = simulated.slabs()[f"{orientation}-03"]
    for seed in range(5):
        rng = np.random.default_rng(seed)
        tumour = anatomy.grow(rng) if diseased else None
        across = anatomy.plane(orientation, slab, tumour, rng)[anatomy.AXES[orientation][0]]
        assert slab[0] <= across.min() < across.max() <= slab[1]


def test_pixels_are_float32_in_full_scale(images: np.ndarray) -> None:
    """All pixels are float32, finite and in [0, 1], and every slice shows a head."""
    assert images.shape == (253, 224, 224)
    assert images.dtype == np.float32
    assert np.isfinite(images).all()
    assert images.min() >= 0.0
    assert images.max() <= 1.0
    assert (np.ptp(images, axis=(1, 2)) > 0.5).all()


def test_masks_mark_tumours_only(masks: np.ndarray) -> None:
    """Each slice labelled yes has core and rim in its mask, each labelled no an empty one."""
    assert masks.shape == (253, 224, 224)
    assert masks.dtype == np.uint8
    assert masks.max() == 3
    for s in simulated.slices():
        assert ({1, 2} <= set(np.unique(masks[s.index]))) == (s.label == "yes")
        assert masks[s.index].any() == (s.label == "yes")


@pytest.mark.parametrize("index", [0, 58, 252])
def test_generating_again_gives_the_cached_slice(
    index: int, images: np.ndarray, masks: np.ndarray
) -> None:
    """One slice drawn alone equals, bit for bit, the same slice drawn after all others."""
    image, mask = simulated.generate(index)
    np.testing.assert_array_equal(image, images[index])
    np.testing.assert_array_equal(mask, masks[index])


def test_another_seed_is_another_set() -> None:
    """A different seed gives different pixels."""
    assert np.abs(simulated.generate(3, seed=1)[0] - simulated.generate(3)[0]).mean() > 0.01


@pytest.mark.parametrize(
    ("index", "mean", "deviation", "pixels", "tumour"),
    [
        (0, 0.258350013, 0.222357766, (0.347457856, 0.148966253, 0.398722053), 1145),
        (7, 0.182405316, 0.231783135, (0.315138251, 0.245632246, 0.472677827), 0),
        (101, 0.323025066, 0.243690453, (0.175885826, 0.889211714, 0.567874789), 2739),
        (252, 0.272862481, 0.211195308, (0.224855661, 0.496858418, 0.334081590), 1678),
    ],
)
def test_pixels_are_those_of_every_machine(
    index: int, mean: float, deviation: float, pixels: tuple[float, ...], tumour: int
) -> None:
    """Pixels agree to 1e-6 with numbers written down once: a change of them needs a new VERSION."""
    assert (simulated.VERSION, simulated.TEST_VERSION) == (1, 2)
    image, mask = simulated.generate(index)
    image = image.astype(np.float64)
    assert image.mean() == pytest.approx(mean, abs=1e-6)
    assert image.std() == pytest.approx(deviation, abs=1e-6)
    found = (image[60, 112], image[112, 70], image[130, 140])
    assert found == pytest.approx(pixels, abs=1e-6)
    assert np.count_nonzero(mask) == pytest.approx(tumour, abs=2)


def test_slices_are_drawn_when_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slice is drawn at its first reading alone, and kept in one file, nothing else beside it."""
    drawn: list[int] = []
    generate = simulated.generate

    def counted(index: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        drawn.append(index)
        return generate(index, seed)

    monkeypatch.setenv("DENOBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(simulated, "generate", counted)
    for index in (7, 200, 7, 200):
        for found, wanted in zip(simulated.read(index), generate(index), strict=True):
            np.testing.assert_array_equal(found, wanted)
            assert found.dtype == wanted.dtype
    assert drawn == [7, 200]
    (folder,) = tmp_path.iterdir()
    assert folder.name == "simulated-1.2-0"
    assert sorted(path.name for path in folder.iterdir()) == ["007.npz", "200.npz"]


@pytest.mark.parametrize("left", [0, 100, 200_000])
def test_damaged_slice_is_named(left: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cached slice of which a full disk has left a part is one error with its file."""
    monkeypatch.setenv("DENOBENCH_CACHE", str(tmp_path))
    simulated.read(7)
    (path,) = tmp_path.glob("*/*")
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(DenobenchError, match=r"007\.npz"):
        simulated.read(7)


def test_unwritable_cache_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache folder that cannot be made is named, and so is the variable that moves it."""
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("DENOBENCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(DenobenchError, match="DENOBENCH_CACHE"):
        simulated.read(0)


@pytest.mark.parametrize("index", [-1, 253])
def test_slice_that_does_not_exist_is_an_error(index: int) -> None:
    """An index out of range is refused with the valid ones."""
    with pytest.raises(DenobenchError, match="0 to 252"):
        simulated.generate(index)


def test_negative_seed_is_an_error() -> None:
    """A negative seed is refused by name."""
    with pytest.raises(DenobenchError, match="seed -1"):
        simulated.slices(-1)


def test_air_around_the_head_is_free_of_noise(images: np.ndarray) -> None:
    """Air is one constant: where slices leave much of it, thousands of pixels are exactly equal."""
    equal = [(image == image.min()).mean() for image in images]
    assert np.median(equal) > 0.2
    assert np.mean(np.array(equal) > 0.05) > 0.9


@pytest.mark.parametrize(
    ("contrast", "order"),
    [("T1", "wm gm csf"), ("T2", "csf gm wm"), ("FLAIR", "gm wm csf")],
)
def test_tissues_have_the_order_of_their_contrast(contrast: str, order: str) -> None:
    """White matter is brightest in T1, fluid in T2, grey matter in FLAIR, in each slice."""
    healthy = [s for s in simulated.slices() if s.contrast == contrast and s.label == "no"][:5]
    for s in healthy:
        image, _ = simulated.generate(s.index)
        rng = np.random.Generator(np.random.PCG64([simulated.VERSION, 0, s.index]))
        materials = anatomy.compose(s.orientation, simulated.slabs()[s.slab], False, rng)
        brightness = [image[materials[name] > 0.95].mean() for name in order.split()]
        assert brightness == sorted(brightness, reverse=True)


def test_spectrum_falls_as_in_real_images(images: np.ndarray) -> None:
    """The mean slope of the radial power spectrum is within 0.3 of the real set's."""
    assert np.mean([slope(image) for image in images]) == pytest.approx(REAL_SLOPE, abs=0.3)


def test_slope_written_down_is_that_of_the_real_images(real_images: Path) -> None:
    """The real set's slope that the simulated one is held against can be measured again."""
    found = [
        slope(cv2.resize(cv2.imread(str(path), 0), (224, 224), interpolation=cv2.INTER_AREA) / 255)
        for path in sorted(real_images.glob("*/*"))
    ]
    assert np.mean(found) == pytest.approx(REAL_SLOPE, abs=0.01)


@pytest.mark.slow
def test_slices_are_as_hard_to_denoise_as_real_ones(images: np.ndarray) -> None:
    """BM3D (open) at sigma 0.1 on five test slices comes within 1 dB of its PSNR on real images."""
    scores = []
    for s in of_part("test")[::10]:
        image = images[s.index].astype(np.float64)
        noise = np.random.default_rng(s.index).standard_normal(image.shape)
        restored = np.clip(denoise_bm3d(image + 0.1 * noise, 0.1), 0.0, 1.0)
        scores.append(-10.0 * np.log10(np.mean((restored - image) ** 2)))
    assert np.mean(scores) == pytest.approx(REAL_BM3D, abs=1.0)
