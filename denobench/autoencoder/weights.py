"""The names and shapes of the network's 16 arrays.

``conv_1/kernel`` (height, width, input channels, filters) and ``conv_1/bias`` to ``conv_8/bias``,
in the order of Keras' ``get_weights``; `denobench.networks.weights` reads and writes them.
"""

from __future__ import annotations

from itertools import pairwise

FACTOR = 8  # three poolings: what the images' sides are multiples of
CHANNELS = (3, 32, 64, 128, 128, 128, 128, 64, 3)
SHAPES: dict[str, tuple[int, ...]] = {
    f"conv_{number}/{part}": shape
    for number, (inputs, filters) in enumerate(pairwise(CHANNELS), 1)
    for part, shape in (("kernel", (3, 3, inputs, filters)), ("bias", (filters,)))
}
