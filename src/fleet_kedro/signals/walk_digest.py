"""Which walk something was learnt from, told by the forecasts themselves.

A brain's judges, the curves of its expected returns and the thresholds on these all
learn from the forecasts of one walk. Each of them says from which, so that what belongs
to another brain is never put beside this one.
"""

import numpy as np
import pandas as pd

from fleet_kedro.market.epoch import hours_since_epoch
from fleet_kedro.store.fingerprint import array_hash

_NUMBERS = ("fold", "probability", "forward_return")


def walk_digest(forecasts: pd.DataFrame) -> str:
    """Return the SHA-256 of what a walk forecast and what came, in any order of rows.

    Parameters
    ----------
    forecasts
        As a walk leaves them: ``timestamp``, ``asset``, ``fold``, ``probability`` and
        ``forward_return``.
    """
    rows = forecasts.sort_values(["timestamp", "asset"])
    return array_hash(
        {
            "hour": hours_since_epoch(rows["timestamp"]),
            "asset": rows["asset"].to_numpy().astype(np.str_),
            **{name: rows[name].to_numpy(dtype=np.float64) for name in _NUMBERS},
        }
    )
