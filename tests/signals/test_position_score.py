import numpy as np
import pytest
from pydantic import ValidationError

from fleet_kedro.signals.position_score import (
    RiskWeights,
    position_scores,
    position_sizes,
    risk_weights,
)

NAN = np.nan
SETTINGS = RiskWeights()


class TestRiskWeights:
    def test_stated_ones_go_before_measured_ones(self) -> None:
        ratio = np.array([[1.0, 9.0, 9.0, 1.6]])
        got = risk_weights(ratio, ["BTC", "ETH", "SOL", "ADA"], SETTINGS)
        np.testing.assert_allclose(got, [[1.0, 0.85, 0.70, 1 / 1.6]])

    @pytest.mark.parametrize(
        ("ratio", "weight"),
        [(0.5, 1.0), (0.0, 1.0), (1.25, 0.8), (2.0, 0.5), (9.0, 0.5), (NAN, 0.5)],
    )
    def test_inverse_volatility_within_limits(
        self, ratio: float, weight: float
    ) -> None:
        got = risk_weights(np.array([[ratio]]), ["DOGE"], SETTINGS)
        assert got[0, 0] == pytest.approx(weight)

    def test_limits_are_ordered(self) -> None:
        with pytest.raises(ValidationError, match="swap them"):
            RiskWeights(lowest=0.9, highest=0.8)

    def test_a_stated_weight_is_no_share_above_one(self) -> None:
        with pytest.raises(ValidationError, match=r"stated\.ETH"):
            RiskWeights(stated={"ETH": 1.5})


class TestScores:
    def test_the_product_signed_by_the_direction(self) -> None:
        got = position_scores(
            np.array([[0.02, -0.02, 0.02, NAN]]),
            np.array([[1, -1, 0, 0]], dtype=np.int8),
            np.array([[1.0, 0.6, 0.3, 0.3]]),
            np.array([[1.0, 0.5, 1.0, 1.0]]),
        )
        np.testing.assert_allclose(got, [[0.02, -0.006, 0.0, 0.0]])

    def test_a_size_grows_to_the_full_weight_and_stays_there(self) -> None:
        got = position_sizes(
            np.array([[0.003, 0.006, 0.06, -0.003, 0.003, NAN]]),
            np.full((1, 6), 0.006),
            np.array([[1, 1, 1, -1, 0, 0]], dtype=np.int8),
            np.full((1, 6), 0.7),
        )
        np.testing.assert_allclose(got, [[0.35, 0.7, 0.7, 0.35, 0.0, 0.0]])
