"""Seeds: the same numbers on every machine, and a stream of its own for every purpose."""

from __future__ import annotations

from hashlib import sha256

import numpy as np

from denobench import seeds


def test_a_generator_follows_its_text_alone() -> None:
    """The seed is the first 16 bytes of the SHA-256 of purpose and parts, little endian."""
    key = int.from_bytes(sha256(b"denobench noise 1|test|0|abc|2").digest()[:16], "little")
    expected = np.random.Generator(np.random.PCG64(key)).standard_normal(3)
    found = seeds.generator("noise", "test", 0, "abc", 2).standard_normal(3)
    np.testing.assert_array_equal(found, expected)


def test_purposes_and_parts_keep_streams_apart() -> None:
    """Another purpose, or another part, is another stream; a name that is not UTF-8 has one."""
    parts = [("noise", 1, 2), ("order", 1, 2), ("noise", 2, 1), ("noise", "\udce3")]
    assert len({seeds.generator(*each).random() for each in parts}) == 4  # type: ignore[arg-type]


def test_numbered_streams_are_numpys() -> None:
    """One number gives what NumPy draws for it, so that others can draw it, too."""
    assert seeds.numbered(7).random() == np.random.default_rng(7).random()
    assert seeds.numbered(7, 20).random() == np.random.default_rng([7, 20]).random()
