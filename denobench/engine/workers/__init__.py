"""What computes cells: child processes, a pool of them here, or Dask."""
