"""The engine against arithmetic by hand and against the rules taken literally."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_kedro.signals.backtest.decisions import Decisions
from fleet_kedro.signals.backtest.engine import trade
from fleet_kedro.signals.backtest.market import market_of
from fleet_kedro.signals.backtest.rules import TradingRules
from fleet_kedro.signals.backtest.trades import trades_of

_spec = importlib.util.spec_from_file_location(
    "literal_reference", Path(__file__).with_name("literal_reference.py")
)
literal_reference = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(literal_reference)

NAN = float("nan")
FREE = TradingRules(fee_bps=0.0, slippage_bps=0.0, rebalance_band=0.0, capital=1000.0)
OPINIONS = [NAN, NAN, 0.0, 0.1, 0.25, 0.33, -0.1, -0.3]


def decide(n_hours, said, n_assets=1):
    """Decisions from {hour: (weight, stop, target)} of the first asset."""
    table = np.full((3, n_hours, n_assets), np.nan)
    for hour, values in said.items():
        table[:, hour, 0] = values
    return Decisions(*table)


def reasons(ledger):
    return [fill.reason.word for fill in ledger.fills]


class TestKnownValues:
    def test_five_trades_to_the_cent(self, panel):
        """Half of the equity each time, 0.1 % a side, no slippage.

        Trade 1, left by a signal:
          in   50 at 100 = 5,000.00, fee 5.00       cash  4,995.00
          out  50 at 110 = 5,500.00, fee 5.50       cash 10,489.50  pnl +489.50
        Trade 2, stopped in its first candle (low 99, stop 100, high 131, target 130):
          in   5,244.75 / 105 = 49.95, fee 5.24475  cash  5,239.50525
          out  49.95 at 100 = 4,995.00, fee 4.995   cash 10,229.51025
               pnl −249.75 − 5.24475 − 4.995 = −259.98975
        Trade 3, stop 90, opens at 85:
          in   5,114.755125 / 100 = 51.14755125, fee 5.114755125
               cash 5,109.640369875
          out  51.14755125 at 85 = 4,347.54185625, fee 4.34754185625
               cash 9,452.83468426875   pnl −776.67556573125
        Trade 4, target 88 in its second candle:
          in   4,726.417342134375 / 84 = 56.26687312064732, fee 4.726417342134375
               cash 4,721.690924792241
          out  at 88 = 4,951.484834616964, fee 4.951484834616964
               cash 9,668.224274574588  pnl +215.3895903058...
        Trade 5, sold at the last close:
          in   4,834.112137287294 / 90 = 53.71235708096993, fee 4.834112137287294
               cash 4,829.278025150
          out  at 93 = 4,995.249208530, fee 4.995249208530
               cash 9,819.531984472   pnl +151.307709898
        """
        bars = [
            (0, 100, 100, 100, 100),
            (1, 100, 105, 99, 104),
            (2, 104, 111, 103, 110),
            (3, 110, 110, 107, 108),
            (4, 105, 131, 99, 101),
            (5, 101, 102, 99, 100),
            (6, 100, 102, 97, 98),
            (7, 85, 86, 83, 84),
            (8, 84, 85, 83, 84),
            (9, 84, 87, 82, 86),
            (10, 86, 90, 85, 89),
            (11, 89, 91, 88, 90),
            (12, 90, 95, 89, 93),
        ]
        said = {
            0: (0.5, 95, 120),
            2: (0.0, NAN, NAN),
            3: (0.5, 100, 130),
            4: (0.0, NAN, NAN),
            5: (0.5, 90, 150),
            7: (0.0, NAN, NAN),
            8: (0.5, 80, 88),
            10: (0.0, NAN, NAN),
            11: (0.5, 70, 200),
        }
        rules = TradingRules(fee_bps=10.0, slippage_bps=0.0)
        ledger = trade(market_of(panel({"A": bars})), decide(13, said), rules)
        trades = trades_of(ledger)
        assert list(trades["reason"]) == ["signal", "stop", "gap", "target", "end"]
        assert list(trades["pnl"].round(2)) == [
            489.50,
            -259.99,
            -776.68,
            215.39,
            151.31,
        ]
        assert list(trades["fees"].round(2)) == [10.50, 10.24, 9.46, 9.68, 9.83]
        assert list(trades["exit_price"]) == [110, 100, 85, 88, 93]
        assert round(ledger.equity[-1], 2) == 9819.53
        # In between, marked at closes: 4,995.00 + 50 × 104, and so on.
        assert list(ledger.equity[:3].round(2)) == [10000.00, 10195.00, 10495.00]

    def test_slippage_makes_every_fill_worse(self, path):
        """1,000 buys 1,000 / (100.5 × 1.001) coins; each brings 119.4 × 0.999."""
        rules = FREE.model_copy(update={"slippage_bps": 50.0, "fee_bps": 10.0})
        market = market_of(path({"A": [100, 100, 120]}))
        ledger = trade(market, decide(3, {0: (1.0, NAN, NAN)}), rules)
        coins = 1000 / (100.5 * 1.001)
        assert ledger.equity[-1] == pytest.approx(coins * 119.4 * 0.999, rel=1e-12)
        assert [fill.price for fill in ledger.fills] == pytest.approx([100.5, 119.4])

    def test_the_stop_comes_first_where_both_are_touched(self, panel):
        bars = [
            (0, 100, 100, 100, 100),
            (1, 100, 130, 80, 100),
            (2, 100, 100, 100, 100),
        ]
        market = market_of(panel({"A": bars}))
        long = trade(market, decide(3, {0: (0.5, 90, 110)}), FREE)
        shorting = FREE.model_copy(update={"allow_short": True})
        short = trade(market, decide(3, {0: (-0.5, 110, 90)}), shorting)
        assert reasons(long) == reasons(short) == ["signal", "stop"]
        assert long.fills[1].price == 90
        assert short.fills[1].price == 110

    def test_an_open_beyond_the_target_fills_at_the_open(self, panel):
        bars = [(0, 100, 100, 100, 100), (1, 100, 101, 99, 100), (2, 120, 121, 80, 90)]
        market = market_of(panel({"A": bars}))
        ledger = trade(market, decide(3, {0: (1.0, 85, 110)}), FREE)
        assert reasons(ledger) == ["signal", "target"]
        assert ledger.equity[-1] == 1200

    def test_an_entry_is_not_made_beyond_its_stop_or_target(self, panel):
        bars = [(0, 100, 100, 100, 100), (1, 90, 101, 89, 100), (2, 100, 100, 100, 100)]
        market = market_of(panel({"A": bars}))
        for levels in ((95, NAN), (NAN, 88)):
            ledger = trade(market, decide(3, {0: (1.0, *levels)}), FREE)
            assert ledger.fills == ()

    def test_after_a_stop_it_rests_until_another_weight_is_wanted(self, path):
        close = [100, 100, 80, 100, 100, 100, 100]
        market = market_of(path({"A": close}))
        said = dict.fromkeys(range(7), (1.0, 90, NAN)) | {4: (0.0, NAN, NAN)}
        rested = trade(market, decide(7, said), FREE)
        assert [fill.hour for fill in rested.fills] == [1, 2, 6, 6]
        eager = FREE.model_copy(update={"rests_after_exit": False})
        # At 80 the entry would be beyond its stop: it waits for the next open.
        bought = [fill.hour for fill in trade(market, decide(7, said), eager).fills]
        assert bought == [1, 2, 4, 5, 6, 6]

    def test_levels_stand_unless_they_are_to_follow(self, path):
        market = market_of(path({"A": [100, 100, 110, 104, 104]}))
        said = {0: (1.0, 90, NAN), 2: (NAN, 105, NAN)}
        assert reasons(trade(market, decide(5, said), FREE)) == ["signal", "end"]
        moving = FREE.model_copy(update={"levels_follow": True})
        ledger = trade(market, decide(5, said), moving)
        assert reasons(ledger) == ["signal", "stop"]
        assert ledger.equity[-1] == pytest.approx(1050)

    def test_the_band_leaves_small_differences_alone_but_not_exits(self, path):
        rules = FREE.model_copy(update={"rebalance_band": 0.1})
        market = market_of(path({"A": [100] * 7}))
        weights = {0: 0.05, 1: 0.3, 2: 0.39, 3: 0.45, 4: 0.4, 5: 0.0}
        said = {hour: (weight, NAN, NAN) for hour, weight in weights.items()}
        ledger = trade(market, decide(7, said), rules)
        assert [fill.hour for fill in ledger.fills] == [2, 4, 6]
        assert [fill.quantity for fill in ledger.fills] == pytest.approx([3, 1.5, -4.5])

    def test_a_short_earns_when_the_price_falls(self, path):
        rules = FREE.model_copy(update={"allow_short": True})
        market = market_of(path({"A": [100, 100, 80, 80]}))
        ledger = trade(market, decide(4, {0: (-0.5, NAN, NAN)}), rules)
        (only,) = trades_of(ledger).to_dict(orient="records")
        assert only["side"] == "short"
        assert only["pnl"] == pytest.approx(100)
        assert ledger.exposure[1, 0] == pytest.approx(-0.5)

    def test_without_shorts_a_negative_weight_is_an_exit(self, path):
        market = market_of(path({"A": [100, 100, 110, 110]}))
        said = {0: (0.5, NAN, NAN), 1: (-0.5, NAN, NAN)}
        ledger = trade(market, decide(4, said), FREE)
        assert [fill.hour for fill in ledger.fills] == [1, 2]
        assert ledger.equity[-1] == pytest.approx(1050 - 50)


class TestHalts:
    def test_an_order_waits_for_the_next_real_candle(self, panel):
        bars = [
            (0, 100, 100, 100, 100),
            (1, 100, 100, 100, 100, True),
            (2, 100, 100, 100, 100, True),
            (3, 90, 95, 90, 95),
        ]
        ledger = trade(
            market_of(panel({"A": bars})), decide(4, {0: (1.0, NAN, NAN)}), FREE
        )
        assert [fill.hour for fill in ledger.fills] == [3, 3]
        assert ledger.fills[0].price == 90

    def test_a_stop_waits_and_fills_at_the_open_after_it(self, panel):
        bars = [
            (0, 100, 100, 100, 100),
            (1, 100, 100, 100, 100),
            (2, 80, 80, 80, 80, True),
            (3, 70, 75, 70, 75),
        ]
        ledger = trade(
            market_of(panel({"A": bars})), decide(4, {0: (1.0, 90, NAN)}), FREE
        )
        assert reasons(ledger) == ["signal", "gap"]
        assert ledger.fills[1].price == 70

    def test_a_new_segment_ends_the_position_and_cancels_the_order(self, panel):
        bars = [
            (0, 100, 100, 100, 100, False, 0),
            (1, 100, 100, 100, 100, False, 0),
            (9, 60, 60, 60, 60, False, 1),
            (10, 60, 60, 60, 60, False, 1),
        ]
        market = market_of(panel({"A": bars}))
        said = {0: (1.0, 90, NAN), 8: (0.5, NAN, NAN)}
        ledger = trade(market, decide(11, said), FREE)
        assert reasons(ledger) == ["signal", "halt"]
        # Frozen, the position counts with its last close.
        np.testing.assert_allclose(ledger.equity, [1000] * 9 + [600, 600])

    def test_a_delisted_asset_is_sold_at_its_last_close(self, panel):
        other = [(hour, 50, 50, 50, 50) for hour in range(5)]
        bars = [(0, 100, 100, 100, 100), (1, 100, 100, 100, 100), (2, 100, 100, 70, 70)]
        market = market_of(panel({"A": bars, "B": other}))
        ledger = trade(market, decide(5, {0: (1.0, NAN, NAN)}, n_assets=2), FREE)
        assert reasons(ledger) == ["signal", "end"]
        assert ledger.equity[-1] == 700


class TestAgainstLiteralRules:
    @settings(max_examples=80, deadline=None)
    @given(
        seed=st.integers(0, 2**32 - 1),
        size=st.tuples(st.integers(10, 45), st.integers(1, 4)),
        rules=st.fixed_dictionaries(
            {
                "fee_bps": st.sampled_from([0.0, 10.0, 80.0]),
                "slippage_bps": st.sampled_from([0.0, 25.0]),
                "rebalance_band": st.sampled_from([0.0, 0.03, 0.15]),
                "allow_short": st.booleans(),
                "rests_after_exit": st.booleans(),
                "levels_follow": st.booleans(),
            }
        ),
    )
    def test_both_agree_on_violent_markets(self, wild, seed, size, rules):
        rng = np.random.default_rng(seed)
        candles = wild(rng, *size)
        market = market_of(candles)
        decisions = draw_decisions(rng, market)
        rules = TradingRules(capital=1000.0, **rules)
        ledger = trade(market, decisions, rules)
        equity, fills = literal_reference.trade_literally(
            as_rows(candles, market), as_tuples(decisions), rules
        )
        np.testing.assert_allclose(ledger.equity, equity, rtol=1e-9, atol=1e-7)
        ours = [(f.hour, f.asset, f.reason.word) for f in in_order(ledger.fills)]
        theirs = in_order(fills)
        assert ours == [(hour, asset, reason) for hour, asset, *_, reason in theirs]
        np.testing.assert_allclose(
            [(f.quantity, f.price) for f in in_order(ledger.fills)] or np.empty((0, 2)),
            [(fill[2], fill[3]) for fill in theirs] or np.empty((0, 2)),
            rtol=1e-9,
            atol=1e-9,
        )

    def test_the_drawn_markets_hold_every_kind_of_fill(self, wild):
        """Else the agreement above would be about less than it says."""
        seen = set()
        for seed in range(25):
            rng = np.random.default_rng(seed)
            market = market_of(wild(rng, 45, 3))
            rules = TradingRules(allow_short=True, rebalance_band=0.0)
            seen |= set(reasons(trade(market, draw_decisions(rng, market), rules)))
        assert seen == {"signal", "stop", "target", "gap", "halt", "end"}

    def test_ruin_ends_all_trading_in_both(self, panel):
        bars = [
            (0, 100, 100, 100, 100),
            (1, 100, 100, 100, 100),
            (2, 400, 400, 400, 400),
        ]
        bars += [(hour, 400, 400, 50, 50) for hour in (3, 4)]
        candles = panel({"A": bars})
        market, rules = market_of(candles), TradingRules(allow_short=True)
        decisions = decide(5, {0: (-1.0, NAN, NAN), 2: (0.5, NAN, NAN)})
        ledger = trade(market, decisions, rules)
        equity, _ = literal_reference.trade_literally(
            as_rows(candles, market), as_tuples(decisions), rules
        )
        assert reasons(ledger) == ["signal", "ruin"]
        assert ledger.equity[-1] < 0
        np.testing.assert_allclose(ledger.equity, equity, rtol=1e-12)


class TestProperties:
    @pytest.mark.parametrize("seed", range(6))
    @pytest.mark.parametrize("cut", [6, 14, 24])
    def test_nothing_before_a_moment_notices_what_comes_after(self, wild, seed, cut):
        rng = np.random.default_rng(seed)
        candles = wild(rng, 40, 3)
        market = market_of(candles)
        decisions = draw_decisions(rng, market)
        rules = TradingRules(allow_short=True, capital=1000.0)
        base = trade(market, decisions, rules)

        is_later = (candles["timestamp"] > market.hours[cut]).to_numpy()
        factor = np.where(is_later, rng.uniform(0.5, 2, len(candles)), 1.0)
        other_market = market_of(
            candles.assign(
                **{
                    name: candles[name] * factor
                    for name in ("open", "high", "low", "close")
                }
            )
        )
        # A decision at the close of the cut belongs to the future's first open.
        changed = [values.copy() for values in decisions]
        for values in changed:
            values[cut:] = np.roll(values[cut:], 1, axis=0)
        other = trade(other_market, Decisions(*changed), rules)

        np.testing.assert_array_equal(base.equity[: cut + 1], other.equity[: cut + 1])
        np.testing.assert_array_equal(
            base.exposure[: cut + 1], other.exposure[: cut + 1]
        )
        assert until(base, cut) == until(other, cut)
        assert not np.array_equal(base.equity, other.equity)

    @pytest.mark.parametrize("seed", range(5))
    def test_the_unit_of_a_price_does_not_matter(self, wild, seed):
        rng = np.random.default_rng(seed)
        candles = wild(rng, 40, 3)
        market = market_of(candles)
        decisions = draw_decisions(rng, market)
        rules = TradingRules(allow_short=True)
        unit = np.array([1000.0, 0.001, 7.0])
        factor = unit[[market.assets.index(asset) for asset in candles["asset"]]]
        scaled = market_of(
            candles.assign(
                **{
                    name: candles[name] * factor
                    for name in ("open", "high", "low", "close")
                }
            )
        )
        other = Decisions(
            decisions.weight, decisions.stop_price * unit, decisions.target_price * unit
        )
        base = trade(market, decisions, rules)
        told = trade(scaled, other, rules)
        assert base.fills
        np.testing.assert_allclose(told.equity, base.equity, rtol=1e-9)
        assert reasons(told) == reasons(base)

    @pytest.mark.parametrize("seed", range(5))
    def test_trades_add_up_to_what_the_account_earned(self, wild, seed):
        rng = np.random.default_rng(seed)
        market = market_of(wild(rng, 40, 3))
        rules = TradingRules(allow_short=True, rebalance_band=0.0)
        ledger = trade(market, draw_decisions(rng, market), rules)
        trades = trades_of(ledger)
        assert len(trades) > 3
        assert trades["pnl"].sum() == pytest.approx(ledger.equity[-1] - ledger.capital)
        assert trades["fees"].sum() == pytest.approx(sum(f.fee for f in ledger.fills))

    @pytest.mark.parametrize("seed", range(5))
    def test_a_long_account_never_borrows(self, wild, seed):
        rng = np.random.default_rng(seed)
        market = market_of(wild(rng, 40, 3))
        weight = np.full(market.shape, 1 / 3)
        rules = TradingRules(rebalance_band=0.0, fee_bps=50.0)
        ledger = trade(market, Decisions.of_weights(weight), rules)
        assert ledger.fills
        assert (ledger.exposure.sum(axis=1)[:-1] <= 1 + 1e-9).all()

    def test_the_decisions_stay_as_they_are(self, wild):
        rng = np.random.default_rng(3)
        market = market_of(wild(rng, 30, 3))
        decisions = draw_decisions(rng, market)
        before = [values.copy() for values in decisions]
        trade(market, decisions, TradingRules())
        for one, other in zip(before, decisions, strict=True):
            np.testing.assert_array_equal(one, other)


class TestErrors:
    def test_more_than_everything(self, path):
        market = market_of(path({"A": [1, 1], "B": [1, 1]}))
        with pytest.raises(ValueError, match=r"add up to 1\.2000 of the equity"):
            trade(market, Decisions.of_weights(np.full((2, 2), 0.6)), FREE)

    def test_another_shape(self, path):
        market = market_of(path({"A": [1, 1]}))
        with pytest.raises(ValueError, match=r"shape \(3, 1\), the market \(2, 1\)"):
            trade(market, Decisions.of_weights(np.zeros((3, 1))), FREE)

    def test_an_infinite_level(self, path):
        market = market_of(path({"A": [1, 1]}))
        with pytest.raises(ValueError, match="stop_price is infinite"):
            trade(market, decide(2, {0: (0.5, np.inf, NAN)}), FREE)


def draw_decisions(rng, market):
    n_hours, n_assets = market.shape
    weight = rng.choice(OPINIONS, size=(n_hours, n_assets))
    gross = np.nansum(np.abs(weight), axis=1, keepdims=True)
    weight = weight / np.maximum(gross, 1.0)
    side = np.where(np.nan_to_num(weight) < 0, -1.0, 1.0)
    # One level in ten lies on the wrong side, one in four is not there.
    side = side * rng.choice([1.0, -1.0], p=[0.9, 0.1], size=weight.shape)
    close = market.closing_marks
    close = np.where(close > 0, close, np.nan)
    stop = close * (1 - side * rng.uniform(0.0, 0.08, weight.shape))
    target = close * (1 + side * rng.uniform(0.0, 0.08, weight.shape))
    stop[rng.random(weight.shape) < 0.25] = np.nan
    target[rng.random(weight.shape) < 0.25] = np.nan
    return Decisions(weight, stop, target)


def as_rows(candles, market):
    place = {asset: column for column, asset in enumerate(market.assets)}
    rows = [[None] * len(place) for _ in market.hours]
    columns = ["open", "high", "low", "close", "is_filled", "segment"]
    for row in candles.to_dict(orient="records"):
        hour = market.hours.get_loc(row["timestamp"])
        rows[hour][place[row["asset"]]] = tuple(row[name] for name in columns)
    return rows


def as_tuples(decisions):
    return [
        [tuple(map(float, asset)) for asset in zip(*hour, strict=True)]
        for hour in zip(*decisions, strict=True)
    ]


def in_order(fills):
    return sorted(fills, key=lambda fill: (fill[0], fill[1]))


def until(ledger, hour):
    return [fill for fill in ledger.fills if fill.hour <= hour]
