import numpy as np
import pandas as pd
import pytest

from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.signals.backtest.ladder import COLUMNS, phase_ladder

DAYS = pd.date_range("2022-01-01", periods=400, tz="UTC", unit="us")
BOOTSTRAP = BlockBootstrap(block_days=5, draws=400, level=0.9, seed=2)


def daily(values):
    return pd.Series(values, index=DAYS[: len(values)])


@pytest.fixture
def base():
    return np.random.default_rng(3).normal(0.0005, 0.02, 400)


class TestKnownValues:
    def test_the_first_step_adds_to_cash(self, base):
        (row,) = phase_ladder({"BTC": daily(base)}, BOOTSTRAP).to_dict(orient="records")
        assert row["gain"] == pytest.approx(365 * base.mean())
        assert row["sharpe"] == row["sharpe_gain"]
        assert row["sharpe"] == pytest.approx(365**0.5 * base.mean() / base.std(ddof=1))
        assert row["annual_return"] == pytest.approx(
            np.prod(1 + base) ** (365 / 400) - 1
        )

    def test_drawdown_over_days(self):
        table = phase_ladder({"only": daily([0.1, -0.5, 0.2, 0.5])}, BOOTSTRAP)
        assert table["max_drawdown"].item() == pytest.approx(0.5)

    def test_a_constant_contribution_is_known_exactly(self, base):
        steps = {"one": daily(base), "two": daily(base + 0.001), "same": daily(base)}
        table = phase_ladder(steps, BOOTSTRAP)
        assert list(table.columns) == COLUMNS
        assert list(table["step"]) == ["one", "two", "same"]
        np.testing.assert_allclose(
            table.loc[1, ["gain", "gain_low", "gain_high"]].to_numpy(dtype=float), 0.365
        )
        assert table.loc[2, "gain"] == pytest.approx(-0.365)


class TestProperties:
    def test_common_luck_cancels(self, base):
        """The step's own return is hardly known, what it adds is."""
        rng = np.random.default_rng(8)
        better = base + 0.0005 + rng.normal(0, 0.001, 400)
        row = phase_ladder({"one": daily(base), "two": daily(better)}, BOOTSTRAP).iloc[
            1
        ]
        assert row["gain_low"] > 0
        assert row["gain_high"] - row["gain_low"] < 0.2 * (
            row["annual_return_high"] - row["annual_return_low"]
        )

    def test_an_idle_step_adds_nothing(self, base):
        rng = np.random.default_rng(8)
        other = base + rng.normal(0, 0.005, 400)
        row = phase_ladder({"one": daily(base), "two": daily(other)}, BOOTSTRAP).iloc[1]
        assert row["gain_low"] < 0 < row["gain_high"]


class TestErrors:
    def test_other_days(self, base):
        with pytest.raises(
            ValueError, match="'two' was traded on 399 days, 'one' on 400"
        ):
            phase_ladder({"one": daily(base), "two": daily(base[:-1])}, BOOTSTRAP)

    def test_an_unknown_day(self, base):
        base[4] = np.nan
        with pytest.raises(ValueError, match="a day without trades is 0"):
            phase_ladder({"one": daily(base)}, BOOTSTRAP)

    def test_no_step(self):
        with pytest.raises(ValueError, match="without a step"):
            phase_ladder({}, BOOTSTRAP)
