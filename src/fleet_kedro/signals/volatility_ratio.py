"""How much wilder an asset is than the reference, as known at the close of each bar."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float


def trailing_volatility(
    close: Float[np.ndarray, "moments assets"], window_bars: int
) -> Float[np.ndarray, "moments assets"]:
    """Root mean square hourly log return of the last ``window_bars`` hours.

    The value at ``t`` uses the returns of bars ``t - window_bars + 1 .. t``. A return
    beside a missing candle is unknown and left out; NaN until half of the window's
    returns are known. Per hour, not annualised.

    Parameters
    ----------
    close
        A row per hour without exception; NaN where there is no candle.
    """
    log_return = np.diff(np.log(close), axis=0, prepend=np.nan)
    least = -(-window_bars // 2)
    mean = pd.DataFrame(np.square(log_return)).rolling(window_bars, min_periods=least)
    return np.sqrt(np.maximum(mean.mean().to_numpy(), 0.0))


def volatility_ratio(
    volatility: Float[np.ndarray, "moments assets"],
    assets: Sequence[str],
    reference: str,
) -> Float[np.ndarray, "moments assets"]:
    """Divide each asset's volatility by the reference's at the same moment.

    NaN where either is unknown or the reference stands still, and everywhere, but for
    nothing else, if the fleet does not hold the reference.
    """
    if reference not in assets:
        return np.full_like(volatility, np.nan)
    column = list(assets).index(reference)
    denominator = volatility[:, column : column + 1]
    return np.divide(
        volatility,
        denominator,
        out=np.full_like(volatility, np.nan),
        where=denominator > 0,
    )
