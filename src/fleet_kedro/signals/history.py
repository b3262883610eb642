"""What was known at every hour of the past, and what would have been decided on it.

The same `decide` that makes today's signal is asked at past hours, each with what was
known at its close: forecasts of a walk-forward, volatility and levels of closed
candles, dominance that had been published.

**When one looks.** A forecast speaks of the next ``H`` hours, so by default one looks
at the signals every ``H`` hours, counted from midnight UTC, trades at the next open,
and leaves positions to their stops and targets in between. Whoever followed every
hour's signal would pay for ``H`` round trips where the forecast promised one.

**What is not known changes nothing.** Where an asset cannot be judged, its position is
left as it is. A walk leaves out the rows whose outcome never became known; an account
that sold there would have known of a halt before it happened.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64
from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.market.schema import BAR
from fleet_kedro.signals.backtest.decisions import Decisions
from fleet_kedro.signals.backtest.market import Market
from fleet_kedro.signals.decision import (
    Decision,
    DecisionInputs,
    SignalSettings,
    decide,
    opens_position,
)
from fleet_kedro.signals.expectation import Absence, ExpectedReturns
from fleet_kedro.signals.levels import PriceLevels
from fleet_kedro.signals.return_thresholds import tuned_thresholds
from fleet_kedro.signals.trade_plan import plan_trades


class Lookout(Config):
    """How often one looks at the signals."""

    every_hours: int = Field(
        ge=1, le=24, description="Hours between two looks, counted from midnight UTC."
    )

    def looks(self, hours: pd.DatetimeIndex) -> Int64[np.ndarray, " looks"]:
        """Return the rows at whose close one looks."""
        return np.flatnonzero((hours + BAR).hour % self.every_hours == 0)


class History(NamedTuple):
    """What was known at the close of every hour.

    Attributes
    ----------
    market
        Candles of all assets, those before the first forecast included.
    expected
        Forecasts of the chosen source.
    volatility_ratio
        Trailing volatility over the reference's; NaN where unknown.
    levels
        Support and resistance.
    usdt_dominance_pct, btc_dominance_pct
        As published by then; NaN where unknown.
    tuned_factor
        On the default entry threshold, found on the past of each hour; NaN where the
        default stays. None where nothing was tuned.
    """

    market: Market
    expected: ExpectedReturns
    volatility_ratio: Float[np.ndarray, "hours assets"]
    levels: PriceLevels
    usdt_dominance_pct: Float[np.ndarray, " hours"]
    btc_dominance_pct: Float[np.ndarray, " hours"]
    tuned_factor: Float[np.ndarray, "hours assets"] | None = None

    def between(self, first: int, behind_last: int) -> "History":
        """Return the hours from row ``first`` on, up to ``behind_last``, it excluded.

        Each of them knows what it knew before.
        """
        rows = slice(first, behind_last)
        return History(
            self.market.between(first, behind_last),
            ExpectedReturns(*(values[rows] for values in self.expected)),
            self.volatility_ratio[rows],
            PriceLevels(*(values[rows] for values in self.levels)),
            self.usdt_dominance_pct[rows],
            self.btc_dominance_pct[rows],
            None if self.tuned_factor is None else self.tuned_factor[rows],
        )


def decide_history(
    history: History, assets: tuple[str, ...], settings: SignalSettings, watch: Lookout
) -> Decisions:
    """Return what would have been decided about some of the assets at each look.

    The others are never held. Without levels there are no stops and no targets.

    Raises
    ------
    ValueError
        If an asset is none of the market's.
    """
    columns = _columns(history.market, assets)
    looks = watch.looks(history.market.hours)
    cells = np.ix_(looks, columns)
    decision = decide(_inputs(history, looks, columns, settings), settings)
    wide = Decisions(*(np.full(history.market.shape, np.nan) for _ in range(3)))
    is_judged = decision.expected.absence == Absence.NONE
    wide.weight[cells] = np.where(is_judged, decision.weight, np.nan)
    if settings.levels.is_used:
        wide.stop_price[cells], wide.target_price[cells] = _exits(
            history, cells, decision, settings
        )
    return wide


def _columns(market: Market, assets: tuple[str, ...]) -> Int64[np.ndarray, " assets"]:
    strange = [asset for asset in assets if asset not in market.assets]
    if strange or not assets:
        raise ValueError(
            f"{', '.join(strange) or 'No asset'} cannot be decided on; the market "
            f"lists {', '.join(market.assets)}."
        )
    return np.array([market.assets.index(asset) for asset in assets])


def _inputs(
    history: History,
    looks: Int64[np.ndarray, " looks"],
    columns: Int64[np.ndarray, " assets"],
    settings: SignalSettings,
) -> DecisionInputs:
    """Return what was known at the looks."""
    cells = np.ix_(looks, columns)
    assets = tuple(history.market.assets[column] for column in columns)
    tuned = None
    if history.tuned_factor is not None:
        factor, ratio = history.tuned_factor[cells], history.volatility_ratio[cells]
        tuned = tuned_thresholds(factor, ratio, assets, settings)
    return DecisionInputs(
        assets=assets,
        expected=ExpectedReturns(*(values[cells] for values in history.expected)),
        volatility_ratio=history.volatility_ratio[cells],
        usdt_dominance_pct=history.usdt_dominance_pct[looks],
        btc_dominance_pct=history.btc_dominance_pct[looks],
        tuned_threshold=tuned,
    )


def _exits(
    history: History,
    cells: tuple[np.ndarray, ...],
    decision: Decision,
    settings: SignalSettings,
) -> tuple[Float[np.ndarray, "looks assets"], Float[np.ndarray, "looks assets"]]:
    """Return stop and target of each signal that asks for a position."""
    opened = np.where(
        opens_position(decision.direction, settings), decision.direction, 0
    )
    plan = plan_trades(
        history.market.close[cells],
        opened.astype(np.int8),
        PriceLevels(*(values[cells] for values in history.levels)),
        settings.plan,
    )
    return plan.stop_loss, plan.take_profit
