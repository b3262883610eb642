"""What is known now: the tails of all candles, dominance, and what the clock says.

Nothing here refuses a fleet that is incomplete. An asset without candles is simply not
there, unknown dominance is NaN, and the reason is kept for whoever reads the signal.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64
from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.features.newest import TAIL_BARS
from fleet_kedro.market.dominance import DominancePolicy, join_dominance
from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.schema import BAR
from fleet_kedro.signals.backtest.market import Market, market_of


class ServingSettings(Config):
    """Which models forecast today, and when today is."""

    stage: str = Field(
        min_length=1,
        description="A stage of the registry, such as prod; or latest, which is "
        "whatever lies in the store, promoted or not.",
    )
    clock: Literal["now", "candles"] = Field(
        description="now: this machine's time, for live candles. candles: the close "
        "of the fleet's newest candle, for candles that end in the past."
    )
    tail_bars: int = Field(
        default=TAIL_BARS,
        ge=TAIL_BARS,
        description="Hours of candles that today's features are computed from.",
    )


class Present(NamedTuple):
    """One moment, as far as it is known.

    Attributes
    ----------
    now
        When the signal is made (UTC).
    assets
        The fleet, in the order of its configuration.
    candles
        Tails of clean candles by asset, oldest first; an asset may be missing.
    market
        The same side by side; None where there is no candle at all.
    shares
        Dominance at each of the market's hours, in percent; NaN where unknown.
    remarks
        By asset that is missing: why.
    notices
        What holds for the whole fleet and is not as usual.
    """

    now: datetime
    assets: tuple[str, ...]
    candles: Mapping[str, pd.DataFrame]
    market: Market | None
    shares: pd.DataFrame
    remarks: Mapping[str, str]
    notices: tuple[str, ...]

    @property
    def newest(self) -> Int64[np.ndarray, " listed"]:
        """The row of each of the market's assets that holds its last candle."""
        if self.market is None:
            return np.zeros(0, dtype=np.int64)
        opened = [self.candles[asset]["timestamp"].iloc[-1] for asset in self._listed]
        since = (pd.DatetimeIndex(opened) - self.market.hours[0]) // BAR
        return since.to_numpy(dtype=np.int64)

    @property
    def _listed(self) -> tuple[str, ...]:
        return () if self.market is None else self.market.assets

    @property
    def dominance_pct(self) -> tuple[float, float]:
        """Shares of USDT and BTC as known by the last close up to now."""
        latest = pd.Timestamp(self.now) - BAR
        known = self.shares.loc[self.shares.index <= latest]
        if known.empty:
            return np.nan, np.nan
        last = known.iloc[-1]
        return float(last["usdt_dominance_pct"]), float(last["btc_dominance_pct"])

    def at_newest(
        self, values: Float[np.ndarray, "hours listed"]
    ) -> Float[np.ndarray, "1 assets"]:
        """Take each asset's value at its last candle, in the fleet's order.

        NaN for an asset without candles.
        """
        own = values[self.newest, np.arange(len(self._listed))]
        known = dict(zip(self._listed, own.tolist(), strict=True))
        return np.array([[known.get(asset, np.nan) for asset in self.assets]])


def take_present(
    candles: Mapping[str, pd.DataFrame],
    assets: tuple[str, ...],
    dominance: pd.DataFrame | None,
    policy: DominancePolicy,
    settings: ServingSettings,
) -> Present:
    """Cut the tails of the candles, and join what is known beside them.

    Parameters
    ----------
    candles
        Clean candles by asset, of the fleet and perhaps of others, which are left out.
    assets
        The fleet.
    dominance
        A ``Dominance`` frame; None where there is no table.
    """
    tails = {
        asset: candles[asset].tail(settings.tail_bars).reset_index(drop=True)
        for asset in assets
        if asset in candles and not candles[asset].empty
    }
    market = market_of(pd.concat(tails.values())) if tails else None
    hours = pd.DatetimeIndex([], tz="UTC") if market is None else market.hours
    shares, notices = _shares(hours, dominance, policy)
    return Present(
        now=_now(hours, settings),
        assets=assets,
        candles=tails,
        market=market,
        shares=shares,
        remarks={},
        notices=notices,
    )


def _now(hours: pd.DatetimeIndex, settings: ServingSettings) -> datetime:
    if settings.clock == "now" or hours.empty:
        return datetime.now(UTC)
    closed: datetime = (hours[-1] + BAR).to_pydatetime()
    return closed


def _shares(
    hours: pd.DatetimeIndex, dominance: pd.DataFrame | None, policy: DominancePolicy
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return dominance as known at each hour; where it cannot be had, why."""
    unknown = pd.DataFrame(
        np.nan, index=hours, columns=["btc_dominance_pct", "usdt_dominance_pct"]
    )
    if dominance is None:
        return unknown, ("There is no table of dominance.",)
    try:
        return join_dominance(hours, dominance, policy), ()
    except MarketError as error:
        return unknown, (f"Dominance is not used: {error}",)
