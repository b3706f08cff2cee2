"""How random numbers are seeded: by what they are for and what they depend on, nothing else."""

from __future__ import annotations

from hashlib import sha256

import numpy as np


def generator(purpose: str, *parts: object) -> np.random.Generator:
    """Return random numbers that depend on the purpose and the parts alone, on every machine.

    Parameters
    ----------
    purpose
        What they are for, such as ``noise`` or ``order``: keeps streams apart.
    *parts
        What they depend on, such as a seed, an image's digest and a number; anything with a text
        of its own.
    """
    text = "|".join(map(str, (f"denobench {purpose} 1", *parts)))
    key = int.from_bytes(sha256(text.encode(errors="surrogateescape")).digest()[:16], "little")
    return np.random.Generator(np.random.PCG64(key))


def numbered(*numbers: int) -> np.random.Generator:
    """Return random numbers that depend on some whole numbers alone, 0 or more.

    Of what was drawn so from the first version on and stays as it is: the split, the simulated
    images, intervals. All else takes `generator`.
    """
    return np.random.Generator(np.random.PCG64([*numbers]))
