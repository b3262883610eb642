import numpy as np
import pandas as pd
import pytest

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.signals.comparison import FLEET, compare_rules

LABEL = Label(horizon_bars=12, round_trip_cost=0.002)
BOOTSTRAP = BlockBootstrap(block_days=2, draws=200, level=0.9, seed=1)


def by_hand() -> pd.DataFrame:
    """BTC: tuned earns 1 % and -1 %, walk 3 %. ETH: tuned is silent, walk earns 1 %."""
    return pd.DataFrame(
        {
            "timestamp": pd.date_range("2023-01-01", periods=5, freq="12h", tz="UTC"),
            "asset": ["BTC", "BTC", "BTC", "ETH", "ETH"],
            "forward_return": [0.012, -0.008, 0.032, 0.012, -0.05],
            "is_positive": [True, False, True, True, False],
            "is_tuned": [True, True, False, False, False],
            "is_signal": [False, False, True, True, False],
        }
    )


class TestKnownValues:
    def test_every_number_by_hand(self):
        table = compare_rules(by_hand(), LABEL, BOOTSTRAP).set_index("asset")
        btc, eth, fleet = (table.loc[name] for name in ("BTC", "ETH", FLEET))

        assert list(table.index) == ["BTC", "ETH", FLEET]
        assert table["rows"].tolist() == [3, 2, 5]
        assert table["tuned_signals"].tolist() == [2, 0, 2]
        assert btc["base_rate"] == pytest.approx(2 / 3)
        assert btc["tuned_precision"] == 0.5
        assert btc["tuned_net_return"] == pytest.approx(0.0)
        assert btc["gain"] == pytest.approx(-0.03)
        assert np.isnan(eth["gain"])
        assert fleet["walk_net_return"] == pytest.approx((0.03 + 0.01) / 2)
        assert fleet["walk_precision"] == 1.0


class TestProperties:
    def test_the_same_rule_twice_gains_nothing_for_sure(self, draw):
        rows = draw()
        table = compare_rules(rows.assign(is_tuned=rows["is_signal"]), LABEL, BOOTSTRAP)

        assert len(table) == 3
        for name in ("gain", "gain_low", "gain_high"):
            assert (table[name] == 0).all()

    def test_a_rule_that_knows_the_outcome_gains_for_sure(self, draw):
        rows = draw(skill=0.0)
        table = compare_rules(
            rows.assign(is_tuned=rows["forward_return"] > 0.02), LABEL, BOOTSTRAP
        )

        assert (table["gain_low"] > 0).all()
        assert (table["gain_low"] < table["gain"]).all()
        assert (table["gain"] < table["gain_high"]).all()
