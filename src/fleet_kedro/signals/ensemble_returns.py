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

    An asset without a walk has no model, an hour without a row no forecast.

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
    expected = ExpectedReturns.unknown(market.shape, Absence.NO_MODEL)
    for asset, walk in walks.items():
        rows = walk.assign(asset=asset)
        _refuse_other_candles(rows, market, horizon_hours)
        own = ExpectedReturns.of_log_returns(
            *(
                spread(rows, rows[f"{name}_{horizon_hours}h"].to_numpy(), market)
                for name in ("forecast", "low", "high")
            )
        )
        column = market.assets.index(asset)
        for whole, part in zip(expected, own, strict=True):
            whole[:, column] = part[:, column]
    return expected


def _refuse_other_candles(
    rows: pd.DataFrame, market: Market, horizon_hours: int
) -> None:
    asset = str(rows["asset"].iloc[0]) if len(rows) else ""
    if f"forecast_{horizon_hours}h" not in rows.columns:
        raise ValueError(
            f"The ensemble of {asset} was not trained for {horizon_hours} h; train it "
            "again for this horizon."
        )
    told, ours = rows["close"].to_numpy(), market.close[place(rows, market)]
    is_other = ~np.isclose(told, ours, rtol=1e-9)
    if is_other.any():
        when = rows.loc[is_other, "timestamp"].iloc[0]
        raise ValueError(
            f"The ensemble of {asset} saw a close of {told[is_other][0]:.6g} at {when}, "
            f"the candles say {ours[is_other][0]:.6g}: it was trained on other candles. "
            "Train it again on these, or remove its walk."
        )
