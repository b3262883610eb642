from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.features.bars import Bars, segment_bars
from fleet_kedro.features.catalogue import FIBONACCI, Signal, catalogue, signal_table
from fleet_kedro.features.context import MarketContext

SIGNALS = {signal.name: signal for signal in catalogue("full")}
# Whole days, whole 4 h bars, and neither; the last one leaves a single row to come.
CUTS = (575, 589, 619)


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
def bars(panel, dominance_pct) -> Bars:
    (only,) = bars_of(panel, dominance_pct)
    return only


@pytest.fixture(scope="session")
def values(bars) -> dict[str, np.ndarray]:
    return {name: signal.compute(bars) for name, signal in SIGNALS.items()}


@pytest.fixture(scope="session")
def short_segments(panel, dominance_pct) -> list[Bars]:
    return [bars_of(first_hours(panel, n), dominance_pct)[0] for n in (1, 2, 5)]


@pytest.fixture(scope="session")
def truncated(panel, dominance_pct) -> dict[int, Bars]:
    return {cut: bars_of(first_hours(panel, cut), dominance_pct)[0] for cut in CUTS}


@pytest.fixture(scope="session")
def perturbed(panel, dominance_pct) -> dict[int, Bars]:
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
        changed[cut] = bars_of(other, shares)[0]
    return changed


@pytest.fixture(scope="session")
def rescaled(panel, dominance_pct) -> Bars:
    """The same market with a tiny price and a large volume."""
    prices = ["open", "high", "low", "close"]
    other = panel.assign(
        **(panel[prices] * 1.3e-6).to_dict("series"), volume=panel["volume"] * 7.0e5
    )
    return bars_of(other, dominance_pct)[0]


@pytest.fixture(scope="session")
def flat_bars(make_bars: Callable[..., Bars]) -> Bars:
    """Six hundred candles in which nothing happens, in a market that stands still."""
    return make_bars(close=np.full(600, 3.7))


@pytest.mark.parametrize("name", SIGNALS)
class TestContract:
    def test_truncating_the_future_changes_no_bit_of_the_past(
        self, name, values, truncated
    ):
        for cut, past in truncated.items():
            np.testing.assert_array_equal(
                SIGNALS[name].compute(past), values[name][:cut]
            )

    def test_another_future_changes_no_bit_of_the_past(self, name, values, perturbed):
        for cut, other in perturbed.items():
            np.testing.assert_array_equal(
                SIGNALS[name].compute(other)[:cut], values[name][:cut]
            )

    def test_scale_of_price_and_volume_does_not_matter(self, name, values, rescaled):
        np.testing.assert_allclose(
            SIGNALS[name].compute(rescaled),
            values[name],
            rtol=1e-6,
            atol=1e-8,
        )

    def test_first_finite_row_is_as_declared_and_no_row_is_lost_after_it(
        self, name, bars, values
    ):
        value = values[name]
        warmup = SIGNALS[name].warmup_bars
        assert value.dtype == np.float64
        assert len(value) == len(bars) > warmup
        assert np.isnan(value[:warmup]).all()
        assert np.isfinite(value[warmup:]).all()

    def test_a_market_that_stands_still_gives_finite_values(self, name, flat_bars):
        value = SIGNALS[name].compute(flat_bars)
        assert np.isfinite(value[SIGNALS[name].warmup_bars :]).all()

    def test_values_stay_where_the_catalogue_puts_them(self, name, values):
        signal = SIGNALS[name]
        value = values[name][signal.warmup_bars :]
        if signal.is_flag:
            assert set(np.unique(value)) <= {0.0, 1.0}
        elif signal.bounded:
            assert np.abs(value).max() <= 1.0 + 1e-12
        else:
            assert np.median(np.abs(value)) < 5.0
            assert np.abs(value).max() < 15.0

    def test_short_segments_are_not_an_error(self, name, short_segments):
        for short in short_segments:
            assert len(SIGNALS[name].compute(short)) == len(short)


class TestPanelIndependence:
    def test_order_of_assets_changes_no_bit(self, panel, dominance_pct, values):
        mixed = panel.sample(frac=1.0, random_state=0)
        context = MarketContext.from_panel(mixed, dominance_pct)
        own = panel.loc[panel["asset"] == "BTC"]
        ((_, again),) = segment_bars(own, context)
        for signal in SIGNALS.values():
            np.testing.assert_array_equal(signal.compute(again), values[signal.name])

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

    def test_computing_leaves_the_bars_as_they_were(self, bars):
        names = ["open", "high", "low", "close", "volume"]
        before = {name: getattr(bars, name).copy() for name in names}
        returns = bars.log_return.copy()
        for signal in SIGNALS.values():
            signal.compute(bars)
        for name, values in before.items():
            np.testing.assert_array_equal(getattr(bars, name), values)
        np.testing.assert_array_equal(bars.log_return, returns)


class TestCatalogue:
    def test_full_profile_is_wide_and_its_names_are_unique(self):
        names = [signal.name for signal in catalogue("full")]
        assert len(names) >= 160
        assert len(set(names)) == len(names)

    def test_lean_profile_is_short_and_quick_to_warm_up(self):
        lean = catalogue("lean")
        assert 35 <= len(lean) <= 45
        assert len({signal.name for signal in lean}) == len(lean)
        assert max(s.window_bars or 0 for s in lean) <= 34
        assert max(s.warmup_bars for s in lean) <= 36

    def test_order_is_stable(self):
        assert [s.name for s in catalogue("full")] == list(SIGNALS)

    def test_hourly_windows_are_fibonacci_numbers(self):
        hourly = [
            signal.window_bars
            for signal in SIGNALS.values()
            if signal.window_bars is not None
            and signal.family != "dominance"
            and not signal.name.endswith(("_4h", "_1d"))
        ]
        assert hourly
        assert set(hourly) <= {1, *FIBONACCI}

    def test_wick_imbalance_is_there_at_the_bar_and_over_short_windows(self):
        wanted = {f"wick_imbalance_{window}" for window in (1, 3, 5, 8)}
        assert wanted <= set(SIGNALS)

    def test_every_family_has_a_signal(self):
        families = set(signal_table()["family"])
        assert len(families) == 14

    def test_table_says_something_in_every_column(self):
        table = signal_table()
        assert len(table) == len(SIGNALS)
        texts = table[["name", "family", "formula", "unit", "source"]]
        assert (texts.apply(lambda column: column.str.len()) > 0).all(axis=None)

    def test_a_signal_is_described_by_its_formula_window_and_timeframe(self):
        signal: Signal = SIGNALS["rsi_13_4h"]
        assert signal.window_bars == 52
        assert signal.family == "oscillators"
        assert signal.bounded
        # Thirteen 4 h changes need fourteen bars, and the last closes in row 55.
        assert signal.warmup_bars == 55
