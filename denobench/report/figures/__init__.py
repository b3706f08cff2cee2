"""Figures, and the gallery of images."""
