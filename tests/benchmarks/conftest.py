"""One thread, unless the environment says otherwise, set before any numerical library loads."""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(variable, "1")
