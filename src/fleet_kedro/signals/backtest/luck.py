"""What the strategy earns at moments that have nothing to do with the market."""

import numpy as np
from jaxtyping import Float
from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.signals.backtest.benchmarks import shuffled
from fleet_kedro.signals.backtest.decisions import Decisions
from fleet_kedro.signals.backtest.engine import trade
from fleet_kedro.signals.backtest.market import Market
from fleet_kedro.signals.backtest.performance import annual_sharpe, daily_returns
from fleet_kedro.signals.backtest.rules import TradingRules


class Luck(Config):
    """How often, and in how long blocks, the strategy's hours are shuffled."""

    block_hours: int = Field(default=168, ge=1)
    draws: int = Field(default=20, ge=1)
    seed: int = Field(ge=0)

    def generators(self) -> list[np.random.Generator]:
        """Return a generator per draw; more draws leave the first ones as they are."""
        return np.random.default_rng(self.seed).spawn(self.draws)


def shuffled_sharpes(
    market: Market, decisions: Decisions, rules: TradingRules, luck: Luck
) -> Float[np.ndarray, " draws"]:
    """Return the annual Sharpe ratio of each shuffle, costs included."""
    return np.array(
        [
            annual_sharpe(
                daily_returns(
                    trade(
                        market,
                        shuffled(market, decisions, luck.block_hours, rng),
                        rules,
                    )
                )
            )
            for rng in luck.generators()
        ]
    )
