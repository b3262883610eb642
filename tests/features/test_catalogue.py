from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.features.bars import Bars, segment_bars
from fleet_kedro.features.catalogue import FIBONACCI, Signal, catalogue
from fleet_kedro.features.context import MarketContext
from fleet_kedro.features.lags import LAGS

SIGNALS = {signal.name: signal for signal in catalogue("full")}
# Whole days, whole 4 h bars, and neither; the last one leaves a single row to come.
CUTS = (575, 589, 619)

# Every signal of one market, computed side by side; each signal is then judged alone.
Values = dict[str, np.ndarray]


def values_of(bars: Bars) -> Values:
    return {name: signal.compute(bars) for name, signal in SIGNALS.items()}


def bars_of(
    panel: pd.DataFrame, dominance_pct: pd.DataFrame, asset: str = "BTC"
) -> list[Bars]:
    context = MarketContext.from_panel(panel, dominance_pct)
    own = panel.loc[panel["asset"] == asset]
    return [bars for _, bars in segment_bars(own, context)]


def first_hours(panel: pd.DataFrame, hours: int) -> pd.DataFrame:
    end = panel["timestamp"].min() + pd.Timedelta(hours=hours)
    return panel.loc[panel["timestamp"] < end]


@pytest.fixture(scope="session")
def values(panel, dominance_pct) -> dict[str, Values]:
    """Two assets: the one that others are compared with, and one that is compared."""
    return {
        asset: values_of(bars_of(panel, dominance_pct, asset)[0])
        for asset in ("BTC", "ETH")
    }


@pytest.fixture(scope="session")
def truncated(panel, dominance_pct) -> dict[tuple[str, int], Values]:
    return {
        (asset, cut): values_of(
            bars_of(first_hours(panel, cut), dominance_pct, asset)[0]
        )
        for asset in ("BTC", "ETH")
        for cut in CUTS
    }


@pytest.fixture(scope="session")
def perturbed(panel, dominance_pct) -> dict[tuple[str, int], Values]:
    """Another future after each cut, for every asset and for dominance."""
    changed = {}
    for cut in CUTS:
        later = panel["timestamp"] >= panel["timestamp"].min() + pd.Timedelta(hours=cut)
        other = panel.copy()
        other.loc[later, ["open", "high", "low", "close"]] *= 1.7
        other.loc[later, "high"] *= 1.1
        other.loc[later, "volume"] = 1e6
        shares = dominance_pct.copy()
        shares.iloc[cut:] += 3.0
        for asset in ("BTC", "ETH"):
            changed[asset, cut] = values_of(bars_of(other, shares, asset)[0])
    return changed


@pytest.fixture(scope="session")
def rescaled(panel, dominance_pct) -> dict[str, Values]:
    """The same market with a tiny price and a large volume."""
    prices = ["open", "high", "low", "close"]
    other = panel.assign(
        **(panel[prices] * 1.3e-6).to_dict("series"), volume=panel["volume"] * 7.0e5
    )
    return {
        asset: values_of(bars_of(other, dominance_pct, asset)[0])
        for asset in ("BTC", "ETH")
    }


@pytest.fixture(scope="session")
def flat(make_bars: Callable[..., Bars]) -> Values:
    """Six hundred candles in which nothing happens, in a market that stands still."""
    return values_of(make_bars(close=np.full(600, 3.7)))


@pytest.fixture(scope="session")
def short(panel, dominance_pct) -> dict[int, Values]:
    return {
        n_bars: values_of(bars_of(first_hours(panel, n_bars), dominance_pct)[0])
        for n_bars in (1, 2, 5)
    }


@pytest.mark.parametrize("name", SIGNALS)
class TestContract:
    def test_truncating_the_future_changes_no_bit_of_the_past(
        self, name, values, truncated
    ):
        for (asset, cut), past in truncated.items():
            np.testing.assert_array_equal(past[name], values[asset][name][:cut])

    def test_another_future_changes_no_bit_of_the_past(self, name, values, perturbed):
        for (asset, cut), other in perturbed.items():
            np.testing.assert_array_equal(other[name][:cut], values[asset][name][:cut])

    def test_scale_of_price_and_volume_does_not_matter(self, name, values, rescaled):
        for asset, expected in values.items():
            np.testing.assert_allclose(
                rescaled[asset][name], expected[name], rtol=1e-6, atol=1e-8
            )

    def test_first_finite_row_is_as_declared_and_no_row_is_lost_after_it(
        self, name, panel, values
    ):
        warmup = SIGNALS[name].warmup_bars
        for asset, of_asset in values.items():
            value = of_asset[name]
            assert value.dtype == np.float64
            assert len(value) == (panel["asset"] == asset).sum() > warmup
            assert np.isnan(value[:warmup]).all()
            assert np.isfinite(value[warmup:]).all()

    def test_a_market_that_stands_still_gives_finite_values(self, name, flat):
        assert np.isfinite(flat[name][SIGNALS[name].warmup_bars :]).all()

    def test_values_stay_where_the_catalogue_puts_them(self, name, values):
        signal = SIGNALS[name]
        for of_asset in values.values():
            value = of_asset[name][signal.warmup_bars :]
            if signal.is_flag:
                assert set(np.unique(value)) <= {0.0, 1.0}
            elif signal.bounded:
                assert np.abs(value).max() <= 1.0 + 1e-12
            else:
                assert np.median(np.abs(value)) < 5.0
                assert np.abs(value).max() < 15.0

    def test_short_segments_are_not_an_error(self, name, short):
        for n_bars, of_segment in short.items():
            assert len(of_segment[name]) == n_bars


class TestPanelIndependence:
    def test_order_of_assets_changes_no_bit(self, panel, dominance_pct, values):
        mixed = panel.sample(frac=1.0, random_state=0)
        context = MarketContext.from_panel(mixed, dominance_pct)
        own = panel.loc[panel["asset"] == "BTC"]
        ((_, again),) = segment_bars(own, context)
        for name, expected in values["BTC"].items():
            np.testing.assert_array_equal(
                SIGNALS[name].compute(again), expected, err_msg=name
            )

    def test_a_segment_does_not_know_the_one_before(self, panel, dominance_pct):
        first, second = bars_of(panel, dominance_pct, "DOGE")
        away = (panel["asset"] == "DOGE") & (panel["segment"] == 0)
        (alone,) = bars_of(panel.loc[~away], dominance_pct, "DOGE")
        assert len(first) == 400
        assert len(alone) == len(second) == 170
        for signal in SIGNALS.values():
            np.testing.assert_array_equal(
                signal.compute(second), signal.compute(alone), err_msg=signal.name
            )

    def test_missing_dominance_costs_no_row(self, panel, dominance_pct):
        (without,) = bars_of(panel, dominance_pct * np.nan)
        for signal in SIGNALS.values():
            value = signal.compute(without)[signal.warmup_bars :]
            assert np.isfinite(value).all()
            if signal.family == "dominance":
                assert (value == 0.0).all()

    def test_computing_leaves_the_bars_as_they_were(self, panel, dominance_pct):
        (bars,) = bars_of(panel, dominance_pct)
        names = ["open", "high", "low", "close", "volume"]
        before = {name: getattr(bars, name).copy() for name in names}
        returns = bars.log_return.copy()
        volatility = bars.volatility(21).copy()
        values_of(bars)
        for name, values in before.items():
            np.testing.assert_array_equal(getattr(bars, name), values)
        np.testing.assert_array_equal(bars.log_return, returns)
        np.testing.assert_array_equal(bars.volatility(21), volatility)

    def test_a_signal_is_the_same_whichever_was_computed_before_it(
        self, panel, dominance_pct, values
    ):
        (bars,) = bars_of(panel, dominance_pct)
        for name in reversed(SIGNALS):
            np.testing.assert_array_equal(
                SIGNALS[name].compute(bars), values["BTC"][name], err_msg=name
            )


class TestCatalogue:
    def test_full_profile_is_as_wide_as_promised_and_its_names_are_unique(self):
        assert len(catalogue("full")) == len(SIGNALS) == 463
        assert len(SIGNALS) * len(LAGS) == 2778

    def test_no_signal_waits_longer_than_a_month(self):
        assert max(signal.warmup_bars for signal in SIGNALS.values()) <= 720

    def test_lean_profile_is_short_and_quick_to_warm_up(self):
        lean = catalogue("lean")
        assert 35 <= len(lean) <= 45
        assert len({signal.name for signal in lean}) == len(lean)
        assert max(s.window_bars or 0 for s in lean) <= 34
        assert max(s.warmup_bars for s in lean) <= 36

    def test_order_is_stable(self):
        assert [s.name for s in catalogue("full")] == list(SIGNALS)

    def test_hourly_windows_are_fibonacci_numbers_or_whole_days(self):
        hourly = [
            signal.window_bars
            for signal in SIGNALS.values()
            if signal.window_bars is not None
            and not signal.name.endswith(("_4h", "_1d"))
        ]
        assert hourly
        assert {w for w in hourly if w % 24} <= {1, *FIBONACCI}

    def test_wick_imbalance_is_there_at_the_bar_and_over_short_windows(self):
        wanted = {f"wick_imbalance_{window}" for window in (1, 3, 5, 8)}
        assert wanted <= set(SIGNALS)

    def test_every_family_has_a_signal(self):
        wanted = (
            "returns trend volatility range_position oscillators volume "
            "liquidity moments autocorrelation physics_windows market regime ranks "
            "bitcoin dominance calendar sessions seasonality candles fractional"
        )
        assert {signal.family for signal in SIGNALS.values()} == set(wanted.split())

    def test_families_stand_together(self):
        families = [signal.family for signal in SIGNALS.values()]
        starts = [
            f for f, last in zip(families, [None, *families], strict=False) if f != last
        ]
        assert len(starts) == len(set(starts))

    def test_a_signal_is_described_by_its_formula_window_and_timeframe(self):
        signal: Signal = SIGNALS["rsi_13_4h"]
        assert signal.window_bars == 52
        assert signal.family == "oscillators"
        assert signal.bounded
        # Thirteen 4 h changes need fourteen bars, and the last closes in row 55.
        assert signal.warmup_bars == 55
