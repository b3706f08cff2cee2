"""What a run does besides its cells: train, tune, time."""
