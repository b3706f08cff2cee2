"""The comparison in words, every number taken from the run."""
