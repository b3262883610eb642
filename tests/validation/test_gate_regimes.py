import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.features.physics.hurst import hurst
from fleet_kedro.validation.gate_regimes import (
    FLEET,
    REGIMES,
    gate_by_regime,
    regimes,
)

MARKET = os.environ.get("FLEET_MARKET_DIR")


def rows(hurst: list[float], warning: list[float], asset: list[str]) -> pd.DataFrame:
    trend = np.linspace(0.1, 0.6, len(hurst))
    return pd.DataFrame(
        {
            "asset": asset,
            "physics_hurst": np.float32(hurst),
            "physics_stability_warning": np.float32(warning),
            "gate_trend": trend,
            "gate_range": 1 - trend,
        }
    )


class TestKnownValues:
    def test_cuts_belong_to_the_random_walk(self) -> None:
        table = rows([0.449, 0.451, 0.549, 0.551], [0.0] * 4, ["BTC"] * 4)
        assert regimes(table).tolist() == [
            *("mean-reverting", "random walk", "random walk", "trending"),
        ]

    def test_a_warning_outranks_everything(self) -> None:
        table = rows([0.3, 0.5, 0.7], [1.0] * 3, ["BTC"] * 3)
        assert regimes(table).tolist() == ["tipping"] * 3

    def test_means_worked_by_hand(self) -> None:
        table = rows(
            [0.7, 0.7, 0.7, 0.4, 0.5, 0.5],
            [0, 0, 0, 0, 0, 1],
            ["BTC", "DOGE", "BTC", "DOGE", "BTC", "BTC"],
        )
        told = gate_by_regime(table)
        assert told[["regime", "asset", "rows"]].to_numpy().tolist() == [
            ["mean-reverting", FLEET, 1],
            ["mean-reverting", "DOGE", 1],
            ["random walk", FLEET, 1],
            ["random walk", "BTC", 1],
            ["trending", FLEET, 3],
            ["trending", "BTC", 2],
            ["trending", "DOGE", 1],
            ["tipping", FLEET, 1],
            ["tipping", "BTC", 1],
        ]
        # The gate's trend weights are 0.1, 0.2, … 0.6 in the order of the rows.
        assert told["trend"].tolist() == pytest.approx(
            [0.4, 0.4, 0.5, 0.5, 0.2, 0.2, 0.2, 0.6, 0.6]
        )


@pytest.mark.skipif(MARKET is None, reason="FLEET_MARKET_DIR names no real candles")
@pytest.mark.parametrize("symbol", ["BTCUSDT", "DOGEUSDT"])
def test_real_candles_know_every_hurst_regime(symbol: str) -> None:
    candles = pd.read_parquet(Path(str(MARKET)) / f"candles/{symbol}-1h.parquet")
    year = candles.loc[candles["timestamp"].dt.year == 2023, "close"].to_numpy()
    exponent = hurst(np.log(year))
    known = exponent[np.isfinite(exponent)].tolist()
    named = regimes(rows(known, [0.0] * len(known), [symbol] * len(known)))
    share = named.value_counts(normalize=True)
    assert set(share.index) == {"mean-reverting", "random walk", "trending"}
    assert share.min() > 0.05


class TestProperties:
    @pytest.fixture
    def table(self) -> pd.DataFrame:
        rng = np.random.default_rng(2)
        n_rows = 4000
        return rows(
            rng.normal(0.5, 0.06, n_rows).tolist(),
            (rng.random(n_rows) < 0.06).astype(float).tolist(),
            rng.choice(["BTC", "DOGE", "ETH"], n_rows).tolist(),
        )

    def test_every_row_is_in_one_regime(self, table: pd.DataFrame) -> None:
        told = gate_by_regime(table)
        fleet = told.loc[told["asset"] == FLEET]
        assert fleet["regime"].tolist() == list(REGIMES)
        assert fleet["rows"].sum() == len(table)
        assert told["rows"].sum() == 2 * len(table)

    def test_weights_add_up_to_one(self, table: pd.DataFrame) -> None:
        told = gate_by_regime(table)
        np.testing.assert_allclose(told["trend"] + told["range"], 1.0)

    def test_regimes_weighted_by_their_rows_give_the_mean_of_the_asset(
        self, table: pd.DataFrame
    ) -> None:
        told = gate_by_regime(table).query("asset == 'DOGE'")
        mean = np.average(told["trend"], weights=told["rows"])
        expected = table.loc[table["asset"] == "DOGE", "gate_trend"].mean()
        assert mean == pytest.approx(expected)

    def test_neither_index_nor_order_of_the_rows_matters(
        self, table: pd.DataFrame
    ) -> None:
        mixed = table.sample(frac=1.0, random_state=0)
        pd.testing.assert_frame_equal(gate_by_regime(mixed), gate_by_regime(table))
