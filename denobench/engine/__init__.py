"""Turn a config into rows: plan, training, cells in worker processes, and the timing pass.

Nothing is imported here: worker processes load this package before their threads are set.
"""
