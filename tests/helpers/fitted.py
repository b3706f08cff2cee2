"""The text of a plugin file with a method that is fitted, but for its ``info`` and ``fit``."""

GAIN = """
import json, os, sys, time
import numpy as np
import pandas as pd
from denobench import denoiser
from denobench.methods import FittedDenoiser, Info

class Gain(FittedDenoiser):
    training = "blind"

    def recipe(self):
        return {}

    def save(self, path):
        np.savez(path, gain=self.gain)

    def load(self, path):
        self.gain = float(np.load(path)["gain"])

    def denoise(self, noisy, sigma):
        return (noisy * self.gain).astype(np.float32)
"""
