from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from fleet_kedro.signals.levels import LevelSettings, PriceLevels, price_levels

NAN = np.nan
SMALL = LevelSettings(
    pivot_bars=2, lookback_bars=40, range_bars=10, width_ranges=1.0, least_touches=2
)


class Candles:
    """Random candles of a few assets, some of them missing."""

    def __init__(self, seed: int, bars: int = 120, holes: float = 0.03) -> None:
        rng = np.random.default_rng(seed)
        shape = (bars, 2)
        # Pulled back to a mean, so that prices turn where they turned before.
        steps = rng.normal(scale=0.01, size=shape)
        log_price = np.zeros(shape)
        for bar in range(1, bars):
            log_price[bar] = 0.9 * log_price[bar - 1] + steps[bar]
        opened = np.vstack([np.zeros((1, 2)), log_price[:-1]])
        wick = np.abs(rng.normal(scale=0.003, size=(2, *shape)))
        self.close = 50 * np.exp(log_price)
        self.high = 50 * np.exp(np.maximum(opened, log_price) + wick[0])
        self.low = 50 * np.exp(np.minimum(opened, log_price) - wick[1])
        missing = rng.random(shape) < holes
        for prices in (self.close, self.high, self.low):
            prices[missing] = NAN

    def levels(self, rules: LevelSettings = SMALL, rows: slice = slice(None)):
        return price_levels(self.high[rows], self.low[rows], self.close[rows], rules)


def pivots(candles: Candles, asset: int, now: int, rules: LevelSettings) -> list[float]:
    """The definition of what is known at the close of bar ``now``, bar by bar."""
    span = rules.pivot_bars
    found = []
    first = max(now - rules.lookback_bars + 1, 0)
    for bar in range(first + span, now - span + 1):
        for prices, sign in ((candles.high, 1), (candles.low, -1)):
            own = sign * np.log(prices[:, asset])
            around = own[bar - span : bar + span + 1]
            if np.isnan(around).any():
                continue
            before, after = around[:span], around[span + 1 :]
            if all(own[bar] > x for x in before) and all(own[bar] >= x for x in after):
                found.append(float(sign * own[bar]))
    return sorted(found)


def gathered(prices: list[float], width: float) -> Iterator[list[float]]:
    level: list[float] = []
    for price in prices:
        if level and price > level[0] + width:
            yield level
            level = []
        level.append(price)
    if level:
        yield level


def reference(
    candles: Candles, asset: int, now: int, rules: LevelSettings
) -> tuple[float, float, int, int]:
    inside = slice(max(now - rules.range_bars + 1, 0), now + 1)
    spread = np.log(candles.high[inside, asset] / candles.low[inside, asset])
    known = spread[np.isfinite(spread)]
    price = np.log(candles.close[now, asset])
    support, resistance, below, above = NAN, NAN, 0, 0
    if len(known) < rules.range_bars / 2 or np.isnan(price):
        return support, resistance, below, above
    width = rules.width_ranges * known.mean()
    for level in gathered(pivots(candles, asset, now, rules), width):
        if len(level) < rules.least_touches:
            continue
        if np.mean(level) <= price:
            support, below = np.exp(np.mean(level)), len(level)
        elif above == 0:
            resistance, above = np.exp(np.mean(level)), len(level)
    return support, resistance, below, above


def column(prices: list[float]) -> np.ndarray:
    return np.array(prices, dtype=float)[:, np.newaxis]


class TestKnownValues:
    #       0   1   2   3   4   5   6   7   8   9  10
    HIGH = (10, 12, 10, 11, 14, 11, 10, 12, 10, 11, 10)
    RULES = LevelSettings(
        pivot_bars=1, lookback_bars=11, range_bars=1, width_ranges=1.0, least_touches=2
    )

    def found(self, close: float, until: int = 11) -> PriceLevels:
        # Lows follow the highs 1 % below, so that a bar ranges over 1 %.
        high = column(list(self.HIGH))[:until]
        return price_levels(high, 0.99 * high, np.full_like(high, close), self.RULES)

    def test_two_tops_at_one_price_are_a_level(self) -> None:
        got = self.found(close=11.5).row(-1)

        assert got.resistance[0, 0] == pytest.approx(12.0)
        assert got.resistance_touches[0, 0] == 2

    def test_a_single_top_is_none(self) -> None:
        got = self.found(close=12.5).row(-1)

        assert np.isnan(got.resistance[0, 0])
        assert got.resistance_touches[0, 0] == 0
        assert got.support[0, 0] == pytest.approx(12.0)

    def test_a_top_is_known_one_bar_later(self) -> None:
        resistance = self.found(close=11.5).resistance[:, 0]

        assert np.isnan(resistance[7])
        assert resistance[8] == pytest.approx(12.0)

    def test_an_old_top_is_forgotten(self) -> None:
        short = self.RULES.model_copy(update={"lookback_bars": 7})
        high = column(list(self.HIGH))
        got = price_levels(high, 0.99 * high, np.full_like(high, 11.5), short)

        assert np.isnan(got.resistance[-1, 0])

    def test_a_plateau_is_one_top(self) -> None:
        high = column([10, 12, 12, 10, 11, 12, 12, 12, 10, 10])
        got = price_levels(high, 0.9 * high, np.full_like(high, 11.5), self.RULES)

        assert got.resistance[-1, 0] == pytest.approx(12.0)
        assert got.resistance_touches[-1, 0] == 2

    def test_a_level_equal_to_the_close_supports_it(self) -> None:
        rules = self.RULES.model_copy(update={"least_touches": 1})
        high = column([10, 12, 10, 10])
        close = np.full_like(high, 12.0)
        got = price_levels(high, 0.99 * high, close, rules).row(-1)

        assert got.support[0, 0] == pytest.approx(12.0)

    def test_too_few_bars_have_no_level(self) -> None:
        got = self.found(close=11.5, until=2)

        assert np.isnan(got.support).all()
        assert (got.resistance_touches == 0).all()


class TestAgainstSlowReference:
    @pytest.mark.parametrize("seed", range(4))
    def test_equals_the_definition(self, seed: int) -> None:
        candles = Candles(seed)
        got = candles.levels()
        known = 0
        for now in range(len(candles.close)):
            for asset in range(2):
                expected = reference(candles, asset, now, SMALL)
                told = [values[now, asset] for values in got[:4]]
                np.testing.assert_allclose(told, expected, rtol=1e-12)
                known += np.isfinite(expected[:2]).sum()
        assert known > 100


class TestProperties:
    @settings(max_examples=40, deadline=None)
    @given(
        seed=st.integers(0, 10_000),
        now=st.integers(0, 118),
        factor=st.floats(0.2, 5.0),
    )
    def test_a_level_ignores_every_later_candle(
        self, seed: int, now: int, factor: float
    ) -> None:
        candles, changed = Candles(seed), Candles(seed)
        for prices in (changed.close, changed.high, changed.low):
            prices[now + 1 :] *= factor
        for before, after in zip(candles.levels(), changed.levels(), strict=True):
            np.testing.assert_array_equal(before[: now + 1], after[: now + 1])

    @pytest.mark.parametrize("cut", [1, 4, 5, 30, 119])
    def test_a_level_needs_no_later_candle(self, cut: int) -> None:
        candles = Candles(3)
        whole, short = candles.levels(), candles.levels(rows=slice(cut))
        for many, few in zip(whole, short, strict=True):
            np.testing.assert_array_equal(many[:cut], few)

    @pytest.mark.parametrize("now", [45, 80, 119])
    def test_a_level_needs_no_candle_beyond_its_memory(self, now: int) -> None:
        candles = Candles(8)
        recent = slice(now + 1 - SMALL.memory_bars, now + 1)
        whole, short = candles.levels(), candles.levels(rows=recent)
        for many, few in zip(whole, short, strict=True):
            np.testing.assert_allclose(many[now], few[-1], rtol=1e-12)

    @pytest.mark.parametrize("seed", [1, 2])
    def test_support_lies_under_the_close_and_resistance_above(self, seed: int) -> None:
        candles = Candles(seed)
        got = candles.levels()
        has_support = np.isfinite(got.support)
        has_resistance = np.isfinite(got.resistance)

        assert has_support.any()
        assert has_resistance.any()
        # To the last bit, since levels are found in logarithms.
        assert (
            got.support[has_support] <= candles.close[has_support] * (1 + 1e-12)
        ).all()
        assert (
            got.resistance[has_resistance] > candles.close[has_resistance] * (1 - 1e-12)
        ).all()
        np.testing.assert_array_equal(has_support, got.support_touches >= 2)
        np.testing.assert_array_equal(has_resistance, got.resistance_touches >= 2)

    def test_another_currency_gives_the_same_levels(self) -> None:
        candles, dearer = Candles(4), Candles(4)
        for prices in (dearer.close, dearer.high, dearer.low):
            prices *= 8.0
        got, other = candles.levels(), dearer.levels()
        np.testing.assert_allclose(other.support, 8.0 * got.support, rtol=1e-9)
        np.testing.assert_array_equal(other.support_touches, got.support_touches)

    def test_an_asset_alone_has_the_same_levels(self) -> None:
        candles = Candles(5)
        together = candles.levels()
        alone = price_levels(
            candles.high[:, 1:], candles.low[:, 1:], candles.close[:, 1:], SMALL
        )
        np.testing.assert_array_equal(together.support[:, 1:], alone.support)


class TestErrors:
    def test_a_lookback_that_holds_no_pivot(self) -> None:
        with pytest.raises(ValidationError, match="holds no pivot"):
            LevelSettings(pivot_bars=12, lookback_bars=24)
