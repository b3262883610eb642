import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from fleet_kedro.signals.entry_threshold import (
    Direction,
    EntryThreshold,
    call,
    entry_thresholds,
)

NAN = np.nan
ASSETS = ["BTC", "ETH", "SOL", "DOGE"]
SETTINGS = EntryThreshold()


class TestWhereAThresholdComesFrom:
    def test_stated_ones_then_volatility(self) -> None:
        got = entry_thresholds(np.array([[1.0, 1.4, 2.0, 2.5]]), ASSETS, SETTINGS)
        np.testing.assert_allclose(got, [[0.003, 0.006, 0.0075, 0.0075]])

    def test_a_tuned_one_goes_first(self) -> None:
        tuned = np.array([[NAN, 0.004, NAN, 0.009]])
        got = entry_thresholds(
            np.array([[1.0, 1.4, 2.0, NAN]]), ASSETS, SETTINGS, tuned
        )
        np.testing.assert_allclose(got, [[0.003, 0.004, 0.0075, 0.009]])

    def test_an_unknown_ratio_leaves_no_threshold(self) -> None:
        got = entry_thresholds(np.full((1, 4), NAN), ASSETS, SETTINGS)
        np.testing.assert_allclose(got, [[0.003, 0.006, 0.0075, NAN]])

    def test_without_stated_ones_volatility_decides_for_all(self) -> None:
        settings = EntryThreshold(stated={}, base=0.002)
        ratio = np.array([[1.0, 1.4, 2.0, 2.5]])
        np.testing.assert_allclose(
            entry_thresholds(ratio, ASSETS, settings), 0.002 * ratio
        )


class TestCall:
    @pytest.mark.parametrize(
        ("expected", "direction", "is_strong"),
        [
            (0.0029, Direction.HOLD, False),
            (0.0030, Direction.BUY, False),
            (-0.0030, Direction.SELL, False),
            (0.0060, Direction.BUY, False),
            (0.0061, Direction.BUY, True),
            (-0.0061, Direction.SELL, True),
            (0.0, Direction.HOLD, False),
            (NAN, Direction.HOLD, False),
        ],
    )
    def test_against_one_threshold(
        self, expected: float, direction: Direction, is_strong: bool
    ) -> None:
        got = call(np.array([[expected]]), np.array([[0.003]]), SETTINGS)
        assert got.direction[0, 0] == direction
        assert got.is_strong[0, 0] == is_strong

    def test_without_a_threshold_it_is_a_hold(self) -> None:
        got = call(np.array([[0.5]]), np.array([[NAN]]), SETTINGS)
        assert got.direction[0, 0] == Direction.HOLD
        assert not got.is_strong[0, 0]

    @settings(max_examples=50, deadline=None)
    @given(expected=st.floats(-0.1, 0.1), threshold=st.floats(1e-4, 0.05))
    def test_a_mirrored_forecast_gives_the_mirrored_call(
        self, expected: float, threshold: float
    ) -> None:
        there, back = (
            call(np.array([[x]]), np.array([[threshold]]), SETTINGS)
            for x in (expected, -expected)
        )
        assert there.direction[0, 0] == -back.direction[0, 0]
        assert there.is_strong[0, 0] == back.is_strong[0, 0]


class TestErrors:
    @pytest.mark.parametrize("base", [0.0, -0.01, 1.0])
    def test_base(self, base: float) -> None:
        with pytest.raises(ValidationError, match="base"):
            EntryThreshold(base=base)

    @pytest.mark.parametrize("stated", [0.0, -0.01, 1.0, NAN])
    def test_stated(self, stated: float) -> None:
        with pytest.raises(ValidationError, match=r"stated\.ETH"):
            EntryThreshold(stated={"ETH": stated})
