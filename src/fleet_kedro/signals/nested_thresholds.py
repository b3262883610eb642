"""Return thresholds of a walk, hour by hour, as one could have known them.

What the tuning leaves is a table, marked with the walk and the rules that it belongs
to. A backtest on another walk, or by other rules, does not take it.
"""

import logging

import numpy as np
import pandas as pd
from jaxtyping import Float

from fleet_kedro.signals.backtest.market import Market
from fleet_kedro.signals.decision import SignalSettings
from fleet_kedro.signals.return_thresholds import TunedFor
from fleet_kedro.signals.walk_digest import walk_digest

logger = logging.getLogger(__name__)


def mark(
    chosen: pd.DataFrame, forecasts: pd.DataFrame, settings: SignalSettings
) -> pd.DataFrame:
    """Add ``forecasts`` and ``tuned_for``: which walk and rules a table belongs to."""
    return chosen.assign(
        forecasts=walk_digest(forecasts),
        tuned_for=TunedFor.of(settings).model_dump_json(),
    )


def factors_of_past(
    marked: pd.DataFrame | None,
    forecasts: pd.DataFrame,
    market: Market,
    settings: SignalSettings,
) -> Float[np.ndarray, "hours assets"] | None:
    """Return the factors of each fold on the fold; None where there are none to use.

    Whatever is asked for, default thresholds are used then; the console says why.

    Parameters
    ----------
    marked
        As `mark` leaves it; None where the tuning was not run.
    """
    why = _objection(marked, forecasts, settings)
    if why is None and marked is not None:
        return nested_factors(marked, forecasts, market)
    logger.info("Only default thresholds are traded: %s. Run the tuning first.", why)
    return None


def nested_factors(
    chosen: pd.DataFrame, forecasts: pd.DataFrame, market: Market
) -> Float[np.ndarray, "hours assets"]:
    """Lay the factors of the folds out on a market; NaN where the default stays.

    A fold's factors hold from its first forecast on until the next fold begins.
    """
    factor = np.full(market.shape, np.nan)
    begins = forecasts.groupby("fold")["timestamp"].min().sort_values()
    for fold, begin in begins.items():
        own = chosen.loc[chosen["fold"] == fold].set_index("asset")["factor"]
        factor[market.hours >= begin] = own.reindex(list(market.assets)).to_numpy()
    return factor


def _objection(
    marked: pd.DataFrame | None, forecasts: pd.DataFrame, settings: SignalSettings
) -> str | None:
    if marked is None:
        return "no return thresholds were tuned"
    if set(marked["forecasts"]) != {walk_digest(forecasts)}:
        return "the return thresholds were tuned on another walk"
    if set(marked["tuned_for"]) != {TunedFor.of(settings).model_dump_json()}:
        return "the return thresholds were tuned for other rules of signals"
    return None
