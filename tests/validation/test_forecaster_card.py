import numpy as np
import pandas as pd
import pytest

from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.store.card import Metric
from fleet_kedro.validation.forecaster_card import judge_forecaster, score_walk

BOOTSTRAP = BlockBootstrap(block_days=1, draws=100, level=0.9, seed=1)
OUTCOME = np.array([0.01, -0.01, 0.02, -0.02])
ZERO_RMSE = 0.01 * np.sqrt(10 / 4)


def walk_of(share: float) -> pd.DataFrame:
    """Four scored days, of which a forecast knows a share of 1 h and nothing of 2 h.

    A warm-up row and one without an outcome stand beside them, both far off.
    """
    outcome = np.concatenate([[0.5], OUTCOME, [np.nan]])
    forecast = np.concatenate([[-0.5], share * OUTCOME, [9.0]])
    return pd.DataFrame(
        {
            "timestamp": pd.date_range("2023-01-01", periods=6, tz="UTC"),
            "fold": np.array([0, 1, 1, 2, 2, 2], dtype=np.int8),
            "close": 100.0,
            "forecast_1h": forecast,
            "forward_log_return_1h": outcome,
            "forecast_2h": np.zeros(6),
            "forward_log_return_2h": outcome,
        }
    )


def scores(share: float) -> dict[str, Metric]:
    told = score_walk(walk_of(share), (1, 2), BOOTSTRAP)
    return {metric.name: metric for metric in told}


class TestKnownValues:
    def test_half_of_every_move_is_half_of_the_error(self):
        told = scores(0.5)

        assert list(told) == ["RMSE 1 h", "skill 1 h", "RMSE 2 h", "skill 2 h"]
        assert told["RMSE 1 h"].value == pytest.approx(ZERO_RMSE / 2)
        assert told["RMSE 1 h"].null == pytest.approx(ZERO_RMSE)
        # Every day is halved, so every draw of days is.
        assert told["skill 1 h"].value == pytest.approx(0.5)
        assert told["skill 1 h"].low == pytest.approx(0.5)
        assert told["skill 1 h"].high == pytest.approx(0.5)

    def test_a_forecast_of_nothing_is_the_zero_forecast(self):
        told = scores(0.5)

        assert told["RMSE 2 h"].value == told["RMSE 2 h"].null
        assert (told["skill 2 h"].value, told["skill 2 h"].low) == (0.0, 0.0)

    def test_the_wrong_direction_costs(self):
        assert scores(-0.5)["skill 1 h"].value == pytest.approx(-0.5)

    def test_numbers_are_fractions_beside_the_zero_forecast(self):
        for metric in scores(0.5).values():
            assert (metric.unit, metric.null_name) == ("percent", "zero forecast")


class TestVerdict:
    def test_skill_at_one_horizon_is_not_enough(self):
        verdict = judge_forecaster(list(scores(0.5).values()))

        assert [one.name for one in verdict.criteria] == [
            *("skill 1 h above zero", "skill 2 h above zero"),
        ]
        assert [one.passed for one in verdict.criteria] == [True, False]
        assert not verdict.passed

    def test_skill_at_both_passes(self):
        known = [metric for name, metric in scores(0.5).items() if "1 h" in name]

        assert judge_forecaster([*known, *known]).passed

    def test_what_was_not_measured_does_not_pass(self):
        still = walk_of(0.0).assign(forward_log_return_1h=0.0)
        told = score_walk(still, (1,), BOOTSTRAP)
        verdict = judge_forecaster(told)

        assert told[1].low is None
        assert verdict.criteria[0].value is None
        assert not verdict.passed


def test_a_walk_without_scored_folds_is_not_measured():
    told = score_walk(walk_of(0.5).iloc[:1], (1, 2), BOOTSTRAP)

    assert [metric.value for metric in told] == [None] * 4
    assert not judge_forecaster(told).passed
