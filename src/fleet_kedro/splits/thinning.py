"""Fewer rows that tell almost as much: every asset's, evenly over time, taking turns.

Labels of one asset that lie less than a horizon apart share candles, so of neighbouring
hours most is said twice. A brain that learns from a fixed number of rows costs the same
however many assets the fleet holds.
"""

import numpy as np
import pandas as pd
from jaxtyping import Int64, Shaped


def thinned(
    asset: Shaped[np.ndarray, " rows"], most_rows: int | None
) -> Int64[np.ndarray, " kept"]:
    """Return the positions of about ``most_rows`` rows, all of them if there are fewer.

    With ``n`` rows and the share ``s = most_rows / n``, the ``i``-th row of the
    ``a``-th of ``A`` assets is kept where ``i s + a / A`` passes a whole number. Each
    asset keeps the share ``s`` of its own rows, ``1 / s`` apart, and the assets take
    turns, so that each hour is told by some.

    Parameters
    ----------
    asset
        Whose each row is. The rows of one asset stand in time order.
    most_rows
        None keeps every row. At most one row per asset is kept beyond it.
    """
    if most_rows is None or len(asset) <= most_rows:
        return np.arange(len(asset))
    code, names = pd.factorize(asset, sort=True)
    place = pd.Series(code).groupby(code).cumcount().to_numpy()
    # In whole numbers: rounding must not decide who is kept.
    step, whole = most_rows * len(names), len(asset) * len(names)
    reached = place * step + code * len(asset)
    return np.flatnonzero(reached // whole != (reached - step) // whole)
