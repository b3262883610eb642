import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from fleet_kedro.signals.levels import PriceLevels
from fleet_kedro.signals.trade_plan import PlanSettings, TradePlan, plan_trades

NAN = np.nan
RANGE = 0.01
RULES = PlanSettings()


def plan(
    direction: int, support: float, resistance: float, close: float = 100.0
) -> TradePlan:
    cell = np.ones((1, 1))
    touched = np.ones((1, 1), dtype=np.int64)
    levels = PriceLevels(
        support * cell, resistance * cell, touched, touched, RANGE * cell
    )
    way = np.array([[direction]], dtype=np.int8)
    return plan_trades(close * cell, way, levels, RULES)


def cell(values: np.ndarray) -> float:
    return float(values[0, 0])


class TestKnownValues:
    def test_a_long_trade_stops_under_support_and_ends_under_resistance(self) -> None:
        got = plan(1, support=97.0, resistance=105.0)

        assert cell(got.entry) == 100.0
        assert cell(got.stop_loss) == pytest.approx(97.0 * np.exp(-0.005))
        assert cell(got.take_profit) == pytest.approx(105.0 * np.exp(-0.005))
        assert cell(got.reward_risk) == pytest.approx(
            (105.0 * np.exp(-0.005) - 100) / (100 - 97.0 * np.exp(-0.005))
        )

    def test_a_short_trade_is_the_mirror_image(self) -> None:
        got = plan(-1, support=95.0, resistance=103.0)

        assert cell(got.stop_loss) == pytest.approx(103.0 * np.exp(0.005))
        assert cell(got.take_profit) == pytest.approx(95.0 * np.exp(0.005))

    @pytest.mark.parametrize(
        ("support", "distance"), [(99.9, 0.02), (50.0, 0.06), (NAN, 0.06)]
    )
    def test_a_stop_is_neither_too_near_nor_too_far(
        self, support: float, distance: float
    ) -> None:
        got = plan(1, support, resistance=105.0)
        assert cell(got.stop_loss) == pytest.approx(100 * np.exp(-distance))

    @pytest.mark.parametrize(
        ("resistance", "distance"), [(100.1, 0.02), (200.0, 0.09), (NAN, 0.09)]
    )
    def test_nor_is_a_target(self, resistance: float, distance: float) -> None:
        got = plan(1, 97.0, resistance)
        assert cell(got.take_profit) == pytest.approx(100 * np.exp(distance))

    def test_no_direction_no_trade(self) -> None:
        assert np.isnan([cell(v) for v in plan(0, 97.0, 105.0)]).all()

    def test_an_unknown_price_has_no_trade(self) -> None:
        assert np.isnan([cell(v) for v in plan(1, 97.0, 105.0, close=NAN)]).all()


class TestProperties:
    @settings(max_examples=50, deadline=None)
    @given(
        direction=st.sampled_from([-1, 1]),
        support=st.floats(1.0, 100.0),
        resistance=st.floats(100.0, 1000.0, exclude_min=True),
    )
    def test_the_entry_lies_between_stop_and_target(
        self, direction: int, support: float, resistance: float
    ) -> None:
        got = plan(direction, support, resistance)

        below, above = cell(got.stop_loss), cell(got.take_profit)
        if direction < 0:
            below, above = above, below
        assert below < cell(got.entry) < above
        assert cell(got.reward_risk) > 0


class TestErrors:
    @pytest.mark.parametrize("kind", ["stop", "target"])
    def test_distances_are_ordered(self, kind: str) -> None:
        with pytest.raises(ValidationError, match=f"nearest_{kind} 99.0 exceeds"):
            PlanSettings(**{f"nearest_{kind}": 99.0})
