"""Denoisers that people who work with MR images use, by the packages that have them (extra mr)."""
