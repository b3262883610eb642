r"""How many signals there really are, when one begins before the last has ended.

Two signals of an asset an hour apart share all but one of the hours that decide them.
López de Prado, "Advances in Financial Machine Learning" (2018), sections 4.3 and 4.4:
the label of a signal in bar ``t`` lives through the returns of bars ``t + 1 .. t + H``.
With ``c_s`` the number of labels that live through bar ``s``, its uniqueness is

.. math:: \bar u_t = \frac{1}{H} \sum_{s = t + 1}^{t + H} \frac{1}{c_s}

and the signals count as many as their uniquenesses add up to. One signal on its own
has uniqueness 1; ``H`` signals in a row together count nearly two.

Only the sharing of hours inside one asset is seen. Assets that move together, and
markets that stay as they are, make the evidence thinner still: the sum is an upper
bound.
"""

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int64

from fleet_kedro.market.epoch import hours_since_epoch


def average_uniqueness(
    bar: Int64[np.ndarray, " labels"], horizon_bars: int
) -> Float[np.ndarray, " labels"]:
    """Return each label's mean share of the bars that it lives through, in (0, 1].

    Parameters
    ----------
    bar
        Where one asset's signals stand on its clock, in any order: equal distances are
        equal times. The work is linear in the labels and in the stretch they span.
    """
    if not bar.size:
        return np.empty(0)
    begin = bar - bar.min()
    alive = _alive(begin, horizon_bars)
    share = np.divide(1.0, alive, out=np.zeros(alive.size), where=alive > 0)
    shares_before = np.concatenate([[0.0], np.cumsum(share)])
    lived = shares_before[begin + horizon_bars] - shares_before[begin]
    return lived / horizon_bars


def effective_signals(
    rows: pd.DataFrame, is_signal: Bool[np.ndarray, " rows"], horizon_bars: int
) -> pd.Series:
    """Count the signals of each asset by their average uniqueness.

    Labels have one length, so the sum is the number of bars that at least one label
    lives through, over ``H``: never more than the signals, never more than the time.

    Parameters
    ----------
    rows
        ``timestamp`` and ``asset`` of every row; a row that is no signal adds none.

    Returns
    -------
    pandas.Series
        A number per asset of ``rows``, in alphabetical order, 0 where none signals.
    """
    hour = hours_since_epoch(rows["timestamp"])
    counts = {
        str(asset): float(average_uniqueness(own, horizon_bars).sum())
        for asset, row in rows.groupby("asset").indices.items()
        for own in [hour[row[is_signal[row]]]]
    }
    return pd.Series(counts, dtype=np.float64, name="effective_signals").rename_axis(
        "asset"
    )


def _alive(
    begin: Int64[np.ndarray, " labels"], horizon_bars: int
) -> Int64[np.ndarray, " bars"]:
    """Count the labels that live through each bar, from the first that any does."""
    n_bars = int(begin.max()) + horizon_bars
    opened = np.bincount(begin, minlength=n_bars + 1)
    closed = np.bincount(begin + horizon_bars, minlength=n_bars + 1)
    return np.cumsum(opened - closed)[:n_bars]
