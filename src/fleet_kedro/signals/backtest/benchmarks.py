"""What knowing nothing would have come to, and what knowing everything.

All of them are decisions, so the engine trades them by the same rules and at the same
costs as the strategy that they stand beside.
"""

import numpy as np
from jaxtyping import Float, Int

from fleet_kedro.signals.backtest.decisions import Decisions
from fleet_kedro.signals.backtest.market import Market, last_row_where
from fleet_kedro.signals.backtest.rules import TradingRules

_CASH = 0  # state of the foresight; asset a is state a + 1


def always_cash(market: Market) -> Decisions:
    """Never hold anything."""
    return Decisions.of_weights(np.zeros(market.shape))


def buy_and_hold(market: Market, asset: str) -> Decisions:
    """Hold one asset with everything, from its first candle on.

    After a halt between two segments, which closes every position, it is bought again.

    Raises
    ------
    ValueError
        If the market does not list the asset.
    """
    if asset not in market.assets:
        raise ValueError(
            f"{asset} is no asset of the market; choose of {market.assets}."
        )
    column = market.assets.index(asset)
    weight = np.full(market.shape, np.nan)
    weight[market.is_start[:, column], column] = 1.0
    return Decisions.of_weights(weight)


def equal_weight(market: Market) -> Decisions:
    """Hold all listed assets alike, put right at the first open of each month.

    It is decided at the close before, by what can be traded then. The basket is first
    bought after the first candle; an asset that is listed, or comes back, later joins
    with the next month. Trade it with a rebalance band of zero.
    """
    month = np.asarray(market.hours.year * 12 + market.hours.month)
    is_due = np.append(month[1:] != month[:-1], False)
    is_due[0] = True
    listed = market.is_tradable[is_due]
    weight = np.full(market.shape, np.nan)
    count = np.maximum(listed.sum(axis=1, keepdims=True), 1)
    # Without a candle nothing can be sold either, so there is nothing to say.
    weight[is_due] = np.where(listed, 1.0 / count, np.nan)
    return Decisions.of_weights(weight)


def shuffled(
    market: Market, decisions: Decisions, block_hours: int, rng: np.random.Generator
) -> Decisions:
    """Put blocks of a strategy's own hours in a random order.

    The decisions of an hour stay together, so what is held, how much at once, and for
    how long stays the same but for the seams; only the moments have nothing to do with
    the market any more. A block begins with the decision that stood at its first hour,
    even if it was made before it. Stops and targets keep their distance to the close of
    their decision, relative to it, and vanish where either hour has no candle.
    """
    n_hours = len(market.hours)
    starts = np.arange(0, n_hours, block_hours)
    order = rng.permutation(starts)
    source = np.concatenate(
        [np.arange(start, min(start + block_hours, n_hours)) for start in order]
    )
    is_seam = np.isin(source, starts)[:, np.newaxis]
    last = last_row_where(np.isfinite(decisions.weight))[source]
    row = np.where(is_seam, last, source[:, np.newaxis])
    columns = np.arange(row.shape[1])
    scale = market.close / market.close[row, columns]
    return Decisions(
        # Nothing was held before the first opinion.
        np.where(row >= 0, decisions.weight[row, columns], 0.0),
        np.where(row >= 0, decisions.stop_price[row, columns] * scale, np.nan),
        np.where(row >= 0, decisions.target_price[row, columns] * scale, np.nan),
    )


def perfect_foresight(market: Market, rules: TradingRules) -> Decisions:
    r"""Hold, at every open, the one asset that ends richest after all costs.

    It knows every open to come. Costs are proportional, so wealth is linear in what is
    held, and nothing beats being wholly in cash or in one asset. With the growth
    :math:`g_{t,a}` from one open to the next (to the last close in the last hour), the
    share kept when bought ``b`` and sold ``s``, the most that a unit in state ``a`` at
    open ``t`` can become is

    .. math:: V_t(a) = \max(g_{t,a} V_{t+1}(a),\; s \, V^{cash}_t), \quad
              V^{cash}_t = \max(V^{cash}_{t+1},\; b \max_a g_{t,a} V_{t+1}(a))

    where nothing changes hands at an open that cannot be traded, and a halt ends every
    position. No long-only account that trades at opens can end with more.
    """
    growth = _growth(market)
    n_hours, n_assets = growth.shape
    value = np.full(n_assets, rules.kept_when_sold)
    cash = 1.0
    choice = np.empty((n_hours, n_assets + 1), dtype=np.int64)
    for hour in range(n_hours - 1, -1, -1):
        can, starts = market.is_tradable[hour], market.is_start[hour]
        stay = growth[hour] * value
        enter = np.where(can & ~starts, rules.kept_when_bought * stay, 0.0)
        best = int(np.argmax(enter))
        choice[hour, _CASH] = best + 1 if enter[best] > cash else _CASH
        cash = max(cash, float(enter[best]))
        leave = np.where(can, rules.kept_when_sold * cash, 0.0)
        is_left = can & (starts | (leave > stay))
        own = np.arange(n_assets) + 1
        choice[hour, 1:] = np.where(is_left, choice[hour, _CASH], own)
        value = np.where(is_left, leave, stay)
        # Rich as one may get, only ratios matter for the choice.
        value, cash = value / cash, 1.0
    return Decisions.of_weights(_followed(choice))


def _growth(market: Market) -> Float[np.ndarray, "hours assets"]:
    """Return the growth of a held coin from each open to the next; 1 before listing."""
    mark = market.opening_marks
    following = np.vstack([mark[1:], market.closing_marks[-1:]])
    listed = (mark > 0) & (following > 0)
    return np.where(listed, following / np.where(listed, mark, 1.0), 1.0)


def _followed(
    choice: Int[np.ndarray, "hours states"],
) -> Float[np.ndarray, "hours assets"]:
    """Walk through the choices from cash, and decide each an hour before its open."""
    n_hours, n_states = choice.shape
    weight = np.full((n_hours, n_states - 1), np.nan)
    state = _CASH
    # Nothing was decided before the first open.
    for hour in range(1, n_hours):
        chosen = int(choice[hour, state])
        if chosen != state:
            weight[hour - 1] = 0.0
            if chosen != _CASH:
                weight[hour - 1, chosen - 1] = 1.0
        state = chosen
    return weight
