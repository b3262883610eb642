"""What the forecasters of single assets expected, hour by hour, out of sample."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from fleet_kedro.signals.backtest.market import Market
from fleet_kedro.signals.expectation import Absence, ExpectedReturns
from fleet_kedro.signals.spread import place, spread


def ensemble_returns(
    walks: Mapping[str, pd.DataFrame], market: Market, horizon_hours: int
) -> ExpectedReturns:
    """Lay the walks of ensembles out on a market, as simple returns.

    An asset without a walk has no model, an hour without a row no forecast. A walk of
    an asset that the market does not list is left out.

    Parameters
    ----------
    walks
        By asset, as `walk_ensemble` leaves them: log returns ``forecast_{h}h``,
        ``low_{h}h`` and ``high_{h}h``, and the ``close`` that each row knew.
    market
        The candles that the forecasts were made from.

    Raises
    ------
    ValueError
        If a walk was made from other candles, or for another horizon.
    """
    told = [
        (rows, [f"{name}_{horizon_hours}h" for name in ("forecast", "low", "high")])
        for asset in market.assets
        if asset in walks
        for rows in [walks[asset].assign(asset=asset)]
    ]
    for rows, columns in told:
        _refuse_other_candles(rows, columns, market)
    wide = np.full((3, *market.shape), np.nan)
    for rows, columns in told:
        for values, column in zip(wide, columns, strict=True):
            said = spread(rows, rows[column].to_numpy(), market)
            values[np.isfinite(said)] = said[np.isfinite(said)]
    expected = ExpectedReturns.of_log_returns(*wide)
    has_model = np.isin(market.assets, list(walks))
    return expected._replace(
        absence=np.where(has_model, expected.absence, np.int8(Absence.NO_MODEL))
    )


def _refuse_other_candles(
    rows: pd.DataFrame, columns: list[str], market: Market
) -> None:
    if not set(columns) <= set(rows.columns):
        raise ValueError(
            f"The ensemble's walk has no {', '.join(columns)}: it was trained for "
            "another horizon. Train it again for this one."
        )
    told, ours = rows["close"].to_numpy(), market.close[place(rows, market)]
    is_other = ~np.isclose(told, ours, rtol=1e-9)
    if is_other.any():
        first = rows.loc[is_other].iloc[0]
        raise ValueError(
            f"The ensemble of {first['asset']} saw a close of {first['close']:.6g} at "
            f"{first['timestamp']}, the candles say {ours[is_other][0]:.6g}: it was "
            "trained on other candles. Train it again on these, or remove its walk."
        )
