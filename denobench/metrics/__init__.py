"""How a denoised image is scored against the clean one."""

from denobench.metrics.base import REGISTRY, Metric, Scores, metric, score
from denobench.metrics.blind import (
    background_noise,
    edge_sharpness,
    residual_whiteness,
    sure_psnr,
)
from denobench.metrics.fidelity import nrmse, psnr, ssim
from denobench.metrics.perception import gmsd, haarpsi, haarpsi_med
from denobench.metrics.structure import epi, residual_structure
from denobench.metrics.tumour import tumour_bias, tumour_cnr

__all__ = [
    "REGISTRY",
    "Metric",
    "Scores",
    "background_noise",
    "edge_sharpness",
    "epi",
    "gmsd",
    "haarpsi",
    "haarpsi_med",
    "metric",
    "nrmse",
    "psnr",
    "residual_structure",
    "residual_whiteness",
    "score",
    "ssim",
    "sure_psnr",
    "tumour_bias",
    "tumour_cnr",
]
