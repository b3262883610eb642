import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from fleet_kedro.features.bars import segment_bars
from fleet_kedro.features.build import (
    DERIVED,
    FeatureSettings,
    asset_features,
    feature_columns,
)
from fleet_kedro.features.catalogue import catalogue
from fleet_kedro.features.context import MarketContext
from fleet_kedro.features.fractional import FractionalDifference, fractional_difference
from fleet_kedro.features.physics import Physics, physics_features
from fleet_kedro.labels.forward_return import Label, forward_return

SETTINGS = FeatureSettings(
    profile="lean",
    physics=Physics(
        hurst_bars=48,
        entropy_bars=48,
        fdi_bars=48,
        theta_bars=40,
        acf_bars=40,
        warning_bars=60,
    ),
    fractional=FractionalDifference(max_window_bars=50),
    label=Label(horizon_bars=4),
)
ORDER = 0.4


@pytest.fixture(scope="module")
def doge(panel) -> pd.DataFrame:
    return panel.loc[panel["asset"] == "DOGE"]


@pytest.fixture(scope="module")
def context(panel, dominance_pct) -> MarketContext:
    return MarketContext.from_panel(panel, dominance_pct)


@pytest.fixture(scope="module")
def table(doge, context) -> pd.DataFrame:
    return asset_features(doge, context, ORDER, SETTINGS)


class TestKnownValues:
    def test_columns_are_keys_signals_derived_and_label(self, table):
        assert list(table.columns) == feature_columns("lean")
        assert list(table.columns[:4]) == ["timestamp", "asset", "segment", "is_filled"]
        assert [name for name in table if name.startswith("physics_")] == [
            "physics_hurst",
            "physics_entropy",
            "physics_fdi",
            "physics_theta",
            "physics_acf",
            "physics_stability_warning",
        ]
        assert table.columns[-1] == "forward_return"

    def test_one_row_a_candle_in_time_order(self, table, doge):
        assert len(table) == len(doge) == 570
        assert table["timestamp"].is_monotonic_increasing
        np.testing.assert_array_equal(table["segment"], doge["segment"])
        np.testing.assert_array_equal(table["is_filled"], doge["is_filled"])

    def test_features_are_float32_and_the_label_float64(self, table):
        features = table[[*(s.name for s in catalogue("lean")), *DERIVED]]
        assert (features.dtypes == np.float32).all()
        assert table["forward_return"].dtype == np.float64

    def test_energy_inputs_are_volume_and_absolute_return(self, table, doge):
        np.testing.assert_array_equal(
            table["energy_volume"], doge["volume"].astype(np.float32)
        )
        move = np.log(doge["close"].iloc[7] / doge["close"].iloc[6])
        assert table["energy_move"].iloc[7] == pytest.approx(abs(move), rel=1e-6)


class TestAgainstTheParts:
    def test_each_column_is_computed_segment_by_segment(self, table, doge, context):
        for segment, bars in segment_bars(doge, context):
            part = table.loc[table["segment"] == segment]
            log_price = np.log(bars.close)
            expected = {
                signal.name: signal.compute(bars) for signal in catalogue("lean")
            }
            expected |= physics_features(
                log_price, bars.log_return, SETTINGS.physics
            )._asdict()
            expected["log_price_fracdiff"] = fractional_difference(
                log_price, ORDER, SETTINGS.fractional
            )
            for name, values in expected.items():
                np.testing.assert_array_equal(
                    part[name], values.astype(np.float32), err_msg=name
                )
            np.testing.assert_array_equal(
                part["forward_return"], forward_return(bars.open, bars.is_filled, 4)
            )


class TestProperties:
    @pytest.mark.parametrize("cut", [433, 501, 619])
    def test_truncating_the_future_changes_no_bit_of_the_past(
        self, cut, panel, dominance_pct, table
    ):
        end = panel["timestamp"].min() + pd.Timedelta(hours=cut)
        past = panel.loc[panel["timestamp"] < end]
        early = asset_features(
            past.loc[past["asset"] == "DOGE"],
            MarketContext.from_panel(past, dominance_pct),
            ORDER,
            SETTINGS,
        )
        known = [name for name in table.columns if name != "forward_return"]
        pd.testing.assert_frame_equal(
            early[known], table.loc[table["timestamp"] < end, known], check_exact=True
        )
        # The label of the last H + 1 rows is not known yet; the others do not change.
        pd.testing.assert_series_equal(
            early["forward_return"].iloc[:-5],
            table["forward_return"].iloc[: len(early) - 5],
            check_exact=True,
        )
        assert early["forward_return"].iloc[-5:].isna().all()

    def test_rows_are_complete_once_all_windows_are_full(self, table):
        warmup = SETTINGS.physics.warm_up_bars
        second = table.loc[table["segment"] == 1].iloc[warmup:-5]
        assert len(second) > 50
        assert second.notna().all(axis=None)

    def test_input_is_untouched(self, doge, context):
        before = doge.copy()
        asset_features(doge, context, ORDER, SETTINGS)
        pd.testing.assert_frame_equal(doge, before)


class TestErrors:
    def test_unknown_profile(self):
        with pytest.raises(ValidationError, match="'full' or 'lean'"):
            FeatureSettings(profile="wide")
