"""Whether it is true: walk-forward, nulls, verdict."""
