"""The rules of trading, taken literally: one asset, one order, one price at a time.

Written from the rules alone, in plain numbers and dictionaries, and as slow as that is.
"""

import math


class Account:
    def __init__(self, capital, fee, slippage):
        self.cash = capital
        self.coins = {}
        self.stop = {}
        self.target = {}
        self.fills = []
        self._fee = fee
        self._slippage = slippage

    def buy(self, hour, asset, coins, price, reason):
        paid = price * (1 + self._slippage)
        self.cash = self.cash - coins * paid - coins * paid * self._fee
        self.coins[asset] = self.coins.get(asset, 0.0) + coins
        self.fills.append((hour, asset, coins, paid, reason))

    def sell(self, hour, asset, coins, price, reason):
        got = price * (1 - self._slippage)
        self.cash = self.cash + coins * got - coins * got * self._fee
        self.coins[asset] = self.coins.get(asset, 0.0) - coins
        self.fills.append((hour, asset, -coins, got, reason))

    def leave(self, hour, asset, price, reason):
        held = self.coins[asset]
        if held > 0:
            self.sell(hour, asset, held, price, reason)
        else:
            self.buy(hour, asset, -held, price, reason)
        del self.coins[asset]
        self.stop.pop(asset, None)
        self.target.pop(asset, None)

    def worth(self, price):
        return self.cash + sum(held * price[a] for a, held in self.coins.items())


def trade_literally(candles, decisions, rules):  # noqa: PLR0912, PLR0915
    """Return the equity at each close and the fills.

    ``candles[hour][asset]`` is None or (open, high, low, close, is_filled, segment);
    ``decisions[hour][asset]`` is (weight, stop, target).
    """
    n_assets = len(candles[0])
    account = Account(
        rules.capital, rules.fee_bps / 10_000, rules.slippage_bps / 10_000
    )
    waiting, resting, segment, last_close = {}, {}, {}, {}
    is_ruined = False
    equity = []
    for hour, row in enumerate(candles):
        real = {a: row[a] for a in range(n_assets) if row[a] and not row[a][4]}
        if hour > 0:
            for asset in range(n_assets):
                weight, stop, target = decisions[hour - 1][asset]
                if rules.levels_follow and asset in account.coins:
                    if not math.isnan(stop):
                        account.stop[asset] = stop
                    if not math.isnan(target):
                        account.target[asset] = target
                if not math.isnan(weight):
                    if weight < 0 and not rules.allow_short:
                        weight = 0.0
                    waiting[asset] = (weight, stop, target)

        done = set()
        for asset, (open_, *_, its_segment) in real.items():
            if segment.get(asset) != its_segment:
                segment[asset] = its_segment
                waiting.pop(asset, None)
                if asset in account.coins:
                    account.leave(hour, asset, open_, "halt")
                    done.add(asset)
            elif asset in account.coins:
                reason = opened_beyond(account, asset, open_)
                if reason:
                    resting[asset] = account.coins[asset] > 0
                    account.leave(hour, asset, open_, reason)
                    done.add(asset)

        price_now = {**last_close, **{a: candle[0] for a, candle in real.items()}}
        if rules.allow_short and account.worth(price_now) <= 0:
            is_ruined = True
        if is_ruined:
            for asset in [a for a in real if a in account.coins]:
                account.leave(hour, asset, price_now[asset], "ruin")
            waiting.clear()

        orders = {}
        for asset in list(waiting):
            if asset not in real:
                continue
            weight, stop, target = waiting.pop(asset)
            if asset in done:
                continue
            if asset in resting:
                wants_long_again = weight > 0 and resting[asset]
                wants_short_again = weight < 0 and not resting[asset]
                if rules.rests_after_exit and (wants_long_again or wants_short_again):
                    continue
                del resting[asset]
            held = account.coins.get(asset, 0.0)
            is_entry = held * weight <= 0
            if is_entry and weight > 0:
                if price_now[asset] <= stop or price_now[asset] >= target:
                    weight = 0.0
            elif (
                is_entry
                and weight < 0
                and (price_now[asset] >= stop or price_now[asset] <= target)
            ):
                weight = 0.0
            orders[asset] = (weight, stop, target)
        follow(account, hour, orders, price_now, rules)

        for asset, (_, high, low, *_) in real.items():
            if asset not in account.coins:
                continue
            is_long = account.coins[asset] > 0
            stop = account.stop.get(asset)
            target = account.target.get(asset)
            if stop is not None and (low <= stop if is_long else high >= stop):
                resting[asset] = is_long
                account.leave(hour, asset, stop, "stop")
            elif target is not None and (high >= target if is_long else low <= target):
                resting[asset] = is_long
                account.leave(hour, asset, target, "target")

        for asset in range(n_assets):
            if row[asset]:
                last_close[asset] = row[asset][3]
        equity.append(account.worth(last_close))

    for asset in list(account.coins):
        account.leave(len(candles) - 1, asset, last_close[asset], "end")
    equity[-1] = account.cash
    return equity, account.fills


def opened_beyond(account, asset, open_):
    is_long = account.coins[asset] > 0
    stop, target = account.stop.get(asset), account.target.get(asset)
    if stop is not None and (open_ <= stop if is_long else open_ >= stop):
        return "gap"
    if target is not None and (open_ >= target if is_long else open_ <= target):
        return "target"
    return None


def follow(account, hour, orders, price, rules):  # noqa: PLR0912
    equity = account.worth(price)
    missing = {}
    for asset in sorted(orders):
        weight = orders[asset][0]
        value = account.coins.get(asset, 0.0) * price[asset]
        is_exit = weight == 0 and value != 0
        ignored = max(rules.rebalance_band, rules.smallest_order)
        if not is_exit and abs(weight - value / equity) <= ignored:
            continue
        wanted = weight * equity
        if value != 0 and (wanted == 0 or (wanted > 0) != (value > 0)):
            account.leave(hour, asset, price[asset], "signal")
            value = 0.0
        if abs(wanted) > abs(value):
            missing[asset] = wanted - value
        elif wanted > 0 and wanted < value:
            account.sell(
                hour, asset, (value - wanted) / price[asset], price[asset], "signal"
            )
        elif wanted < 0 and wanted > value:
            account.buy(
                hour, asset, (wanted - value) / price[asset], price[asset], "signal"
            )

    fee, slippage = rules.fee_bps / 10_000, rules.slippage_bps / 10_000
    positions = sum(abs(held) * price[a] for a, held in account.coins.items())
    equity = account.worth(price)
    free = max(0.0, equity - positions)
    needed = 0.0
    for value in missing.values():
        # What 1 of value takes: bought at 1 + slippage plus its fee; or sold short,
        # where 1 is bound, the slippage is lost, and the fee is paid on the proceeds.
        if value > 0:
            needed += value * (1 + slippage) * (1 + fee)
        else:
            needed += -value * (1 + slippage + (1 - slippage) * fee)
    for asset, value in missing.items():
        cut = value * min(1.0, free / needed)
        if abs(cut) <= rules.smallest_order * equity:
            continue
        is_entry = asset not in account.coins
        if cut > 0:
            account.buy(hour, asset, cut / price[asset], price[asset], "signal")
        else:
            account.sell(hour, asset, -cut / price[asset], price[asset], "signal")
        if is_entry:
            _, stop, target = orders[asset]
            if not math.isnan(stop):
                account.stop[asset] = stop
            if not math.isnan(target):
                account.target[asset] = target
