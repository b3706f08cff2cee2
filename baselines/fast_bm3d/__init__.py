"""BM3D written from its papers: open, compiled, and the same bits on any number of threads."""

from baselines.fast_bm3d.method import denoise_bm3d, fast_bm3d, fast_bm3d_fast
from baselines.fast_bm3d.profiles import PROFILES, Stage

__all__ = ["PROFILES", "Stage", "denoise_bm3d", "fast_bm3d", "fast_bm3d_fast"]
