"""How a denoised image is scored against the clean one."""

from denobench.metrics.base import REGISTRY, Metric, metric, score
from denobench.metrics.fidelity import nrmse, psnr, ssim

__all__ = ["REGISTRY", "Metric", "metric", "nrmse", "psnr", "score", "ssim"]
