"""A trained brain forecasts rows that it never saw, from what was known by then."""

import logging

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.features.catalogue import catalogue
from fleet_kedro.market.schema import BAR
from fleet_kedro.models.fleet_rows import expert_inputs, gather_rows
from fleet_kedro.models.rows import read_features
from fleet_kedro.splits.walk_forward import Fold

EXPERTS = ["trend", "range", "elastic", "pattern", "surface", "stress"]


def cut(features, n_bars):
    """Return the features without their last bars."""
    return {
        asset: (lambda load=load: load().iloc[:-n_bars].copy())
        for asset, load in features.items()
    }


@pytest.fixture(scope="module")
def forecast(trained_brain, fleet_features):
    return trained_brain.forecast(fleet_features)


class TestKnownValues:
    def test_every_usable_bar_is_forecast_once_labelled_or_not(
        self, trained_brain, fleet_features, forecast
    ):
        expected = []
        for asset, load in fleet_features.items():
            frame = load()
            start = frame["timestamp"].min()
            parts = read_features(frame, list(trained_brain.signals), start, 64)
            expected += [(moment, asset) for moment in parts.timestamp[parts.is_usable]]
        keys = forecast.table[["timestamp", "asset"]]

        assert len(expected) > 5000
        assert list(keys.itertuples(index=False, name=None)) == sorted(expected)
        last_labelled = fleet_features["BTC"]()["timestamp"].iloc[-1] - 13 * BAR
        assert (forecast.table["timestamp"] > last_labelled).sum() >= 30

    def test_columns_are_those_of_a_walk(self, forecast):
        assert list(forecast.table) == [
            *("timestamp", "asset"),
            *("probability", "probability_low", "probability_high"),
            *(f"expert_{name}" for name in EXPERTS),
            *(f"gate_{name}" for name in EXPERTS),
        ]
        numbers = forecast.table.drop(columns=["timestamp", "asset"])
        assert ((numbers >= 0) & (numbers <= 1)).all(axis=None)
        weights = forecast.table.filter(regex="^gate_")
        np.testing.assert_allclose(weights.sum(axis="columns"), 1)
        assert forecast.table["probability"].std() > 0.01

    def test_it_reads_what_the_walk_reads(
        self, trained_brain, fleet_features, forecast
    ):
        brain = trained_brain
        times = fleet_features["BTC"]()["timestamp"]
        end = times.iloc[-1] + BAR
        window = Fold(1, times.iloc[0], end, end, end)
        settings = brain.settings
        gathered = gather_rows(
            {asset: fleet_features[asset] for asset in brain.assets},
            catalogue("lean"),
            [window],
            settings,
            extra=settings.surface_signals,
        )
        table = gathered.table
        latents = np.empty((len(table), 8), dtype=np.float32)
        for asset in brain.assets:
            frame = fleet_features[asset]()
            signals = frame[list(brain.signals)].to_numpy(dtype=np.float32)
            of_bars = brain.refiner.latents(asset, signals, frame["segment"].to_numpy())
            own = (table["asset"] == asset).to_numpy()
            bar = frame["timestamp"].searchsorted(table.loc[own, "timestamp"])
            latents[own] = of_bars[bar]
        said = brain.mixture.forecast(
            expert_inputs(table, latents, settings), table["asset"].to_numpy()
        )

        # Latents are float32, and a product split over threads rounds otherwise.
        np.testing.assert_allclose(
            forecast.table["probability"].to_numpy(), said.probability, rtol=1e-6
        )

    def test_the_last_bars_are_what_they_are_among_all(
        self, trained_brain, fleet_features, forecast
    ):
        few = trained_brain.forecast(fleet_features, last_bars=3)
        first = fleet_features["BTC"]()["timestamp"].iloc[-3]
        expected = forecast.table.loc[forecast.table["timestamp"] >= first]

        assert len(expected) > 6
        pd.testing.assert_frame_equal(
            few.table, expected.reset_index(drop=True), check_exact=True
        )
        pd.testing.assert_frame_equal(few.latents, forecast.latents, check_exact=True)


class TestLatents:
    def test_each_last_bar_tells_of_each_latent_the_largest_first(self, forecast):
        for _, own in forecast.latents.groupby("asset"):
            size = own["contribution"].abs()
            assert len(set(own["latent"])) == len(own) == 8
            assert size.is_monotonic_decreasing
            assert size.iloc[0] > 0
        assert set(forecast.latents["asset"]) == {"BTC", "ETH", "SOL"}

    def test_a_contribution_is_what_is_lost_at_the_mean(
        self, trained_brain, fleet_features, forecast
    ):
        """By hand: the asset's own z-scores, one latent at zero, and the mixture."""
        told = forecast.latents.loc[forecast.latents["asset"] == "ETH"].iloc[0]
        frame = fleet_features["ETH"]()
        brain = trained_brain
        signals = frame[list(brain.signals)].to_numpy(dtype=np.float32)
        latents = brain.refiner.latents("ETH", signals, frame["segment"].to_numpy())
        place = int(told["latent"].removeprefix("latent_"))
        assert told["value"] == float(latents[-1, place])

        parts = read_features(frame, list(brain.signals), frame["timestamp"].min(), 64)
        pattern = {
            f"pattern_{bar:02d}": parts.inputs["log_price_fracdiff"].iloc[-64 + bar]
            for bar in range(64)
        }
        row = frame.iloc[[-1]].assign(**pattern)
        without = latents[-1:].copy()
        without[0, place] = 0.0
        inputs = expert_inputs(row, without, brain.settings)
        said = brain.mixture.forecast(inputs, np.array(["ETH"], dtype=object))
        own = forecast.table.loc[forecast.table["asset"] == "ETH", "probability"]
        assert told["contribution"] == own.iloc[-1] - said.probability[0]


class TestNothingLooksAhead:
    @pytest.mark.parametrize("n_bars", [1, 13, 200])
    def test_without_later_rows_a_forecast_stays_as_it_was(
        self, trained_brain, fleet_features, forecast, n_bars
    ):
        last = fleet_features["BTC"]()["timestamp"].iloc[-n_bars - 1]
        earlier = trained_brain.forecast(cut(fleet_features, n_bars)).table
        expected = forecast.table.loc[forecast.table["timestamp"] <= last]

        assert len(earlier) < len(forecast.table)
        pd.testing.assert_frame_equal(earlier, expected, check_exact=True)

    def test_labels_are_not_read(self, trained_brain, fleet_features):
        blind = {
            asset: (lambda load=load: load().assign(forward_return=np.nan))
            for asset, load in fleet_features.items()
        }
        pd.testing.assert_frame_equal(
            trained_brain.forecast(blind, last_bars=400).table,
            trained_brain.forecast(fleet_features, last_bars=400).table,
            check_exact=True,
        )


class TestDegradedInput:
    def test_an_older_bar_never_stands_in_for_one_that_is_not_usable(
        self, trained_brain, fleet_features
    ):
        def holed():
            frame = fleet_features["ETH"]()
            frame.loc[frame.index[-1], "physics_hurst"] = np.nan
            return frame

        said = trained_brain.forecast(fleet_features | {"ETH": holed}, last_bars=1)

        assert said.table["asset"].tolist() == ["BTC", "SOL"]
        assert set(said.latents["asset"]) == {"BTC", "SOL"}

    def test_nothing_usable_gives_empty_tables(self, trained_brain, fleet_features):
        def holed():
            return fleet_features["BTC"]().assign(physics_hurst=np.float32(np.nan))

        said = trained_brain.forecast({"BTC": holed})

        assert (len(said.table), len(said.latents)) == (0, 0)
        assert "gate_trend" in said.table
        assert list(said.latents) == ["asset", "latent", "value", "contribution"]

    def test_a_stranger_is_left_out_and_named(
        self, trained_brain, fleet_features, caplog
    ):
        features = fleet_features | {"DOGE": fleet_features["BTC"]}
        with caplog.at_level(logging.WARNING):
            said = trained_brain.forecast(features, last_bars=1)

        assert "has not learnt DOGE" in caplog.text
        assert said.table["asset"].tolist() == ["BTC", "ETH", "SOL"]

    def test_strangers_only(self, trained_brain, fleet_features):
        with pytest.raises(ValueError, match="knows BTC, ETH, SOL, none of which"):
            trained_brain.forecast({"DOGE": fleet_features["BTC"]})

    def test_features_of_another_profile(self, trained_brain, fleet_features):
        def narrow():
            return fleet_features["SOL"]().drop(columns=["rsi_13"])

        with pytest.raises(ValueError, match=r"features of SOL lack 1 signals.*rsi_13"):
            trained_brain.forecast({"SOL": narrow})
