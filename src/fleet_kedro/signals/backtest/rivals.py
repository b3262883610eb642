"""The accounts that a strategy stands beside, all by the same rules."""

from fleet_kedro.signals.backtest.benchmarks import (
    always_cash,
    buy_and_hold,
    equal_weight,
    shuffled,
)
from fleet_kedro.signals.backtest.decisions import Decisions
from fleet_kedro.signals.backtest.engine import trade
from fleet_kedro.signals.backtest.ledger import Ledger
from fleet_kedro.signals.backtest.luck import Luck
from fleet_kedro.signals.backtest.market import Market
from fleet_kedro.signals.backtest.rules import TradingRules

EQUAL_WEIGHT = "Equal weight"
SHUFFLED = "Same, hours shuffled"
CASH = "Cash"


def rival_accounts(
    market: Market, decisions: Decisions, rules: TradingRules, luck: Luck
) -> dict[str, Ledger]:
    """Trade what knows nothing: the basket, the strategy by chance, cash, each asset.

    The strategy by chance is the first draw of ``luck``. The basket is put right
    whatever the rebalance band says.
    """
    to_the_coin = rules.model_copy(update={"rebalance_band": 0.0})
    by_chance = shuffled(market, decisions, luck.block_hours, luck.generators()[0])
    return {
        EQUAL_WEIGHT: trade(market, equal_weight(market), to_the_coin),
        SHUFFLED: trade(market, by_chance, rules),
        CASH: trade(market, always_cash(market), rules),
        **{
            f"{asset} held": trade(market, buy_and_hold(market, asset), rules)
            for asset in market.assets
        },
    }
