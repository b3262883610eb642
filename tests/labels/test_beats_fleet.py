"""Who beats the fleet: by hand, against a loop over hours, and when alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_kedro.labels.beats_fleet import beats_fleet
from fleet_kedro.labels.forward_return import Label, is_positive

LABEL = Label(round_trip_cost=0.002)


def fleet(
    seed: int, n_hours: int = 40, n_assets: int = 4
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns, volatilities and hours, of assets that are missing here and there."""
    rng = np.random.default_rng(seed)
    hour = np.repeat(np.arange(n_hours), n_assets)
    hour = hour[rng.random(len(hour)) < 0.7]
    market = rng.normal(0, 0.02, n_hours)[hour]
    return (
        market + rng.normal(0, 0.01, len(hour)),
        rng.uniform(0.005, 0.05, len(hour)),
        hour,
    )


def literal(
    forward_return: np.ndarray, volatility: np.ndarray, hour: np.ndarray
) -> list[bool]:
    beats = []
    for row, own in enumerate(forward_return):
        others = [
            forward_return[other] / volatility[other]
            for other in range(len(hour))
            if other != row and hour[other] == hour[row]
        ]
        to_beat = sum(others) / len(others) if others else 0.0
        beats.append((own - LABEL.round_trip_cost) / volatility[row] > to_beat)
    return beats


class TestKnownValues:
    def test_three_assets_in_one_hour(self) -> None:
        forward_return = np.array([0.03, 0.02, -0.01])
        volatility = np.array([0.02, 0.01, 0.01])

        beats = beats_fleet(forward_return, volatility, np.zeros(3), LABEL)

        # After costs, in deviations: 1.4, 1.8 and -1.2. Before costs, the others'
        # means are (2 - 1) / 2, (1.5 - 1) / 2 and (1.5 + 2) / 2.
        assert beats.tolist() == [True, True, False]

    def test_a_rise_of_all_makes_nobody_a_winner(self) -> None:
        beats = beats_fleet(np.full(5, 0.08), np.full(5, 0.02), np.zeros(5), LABEL)
        assert not beats.any()

    def test_the_least_loser_wins_while_all_fall(self) -> None:
        forward_return = np.array([-0.05, -0.01, -0.06])
        beats = beats_fleet(forward_return, np.full(3, 0.02), np.zeros(3), LABEL)
        assert beats.tolist() == [False, True, False]

    def test_a_volatility_of_nothing_is_not_believed(self) -> None:
        forward_return = np.array([0.0031, 0.0015])
        beats = beats_fleet(forward_return, np.zeros(2), np.zeros(2), LABEL)
        # 0.0011 / 0.0005 = 2.2 does not reach 0.0015 / 0.0005 = 3.
        assert beats.tolist() == [False, False]


class TestAgainstSlowReference:
    @given(seed=st.integers(0, 10_000), n_assets=st.integers(1, 6))
    def test_a_loop_over_the_others_of_each_hour(
        self, seed: int, n_assets: int
    ) -> None:
        rows = fleet(seed, n_assets=n_assets)
        assert beats_fleet(*rows, LABEL).tolist() == literal(*rows)


class TestProperties:
    @given(seed=st.integers(0, 10_000))
    def test_an_asset_alone_has_its_own_outcome(self, seed: int) -> None:
        forward_return, volatility, _ = fleet(seed)
        alone = np.arange(len(forward_return))
        beats = beats_fleet(forward_return, volatility, alone, LABEL)
        assert (beats == is_positive(forward_return, LABEL)).all()

    @given(seed=st.integers(0, 10_000))
    def test_the_order_of_rows_does_not_matter(self, seed: int) -> None:
        rows = fleet(seed)
        order = np.random.default_rng(seed).permutation(len(rows[0]))
        shuffled = beats_fleet(*(part[order] for part in rows), LABEL)
        assert (shuffled == beats_fleet(*rows, LABEL)[order]).all()

    @given(seed=st.integers(0, 10_000), changed=st.integers(0, 39))
    def test_an_hour_concerns_no_other_hour(self, seed: int, changed: int) -> None:
        forward_return, volatility, hour = fleet(seed)
        before = beats_fleet(forward_return, volatility, hour, LABEL)
        moved = np.where(hour == changed, -forward_return, forward_return)
        after = beats_fleet(moved, volatility, hour, LABEL)
        assert (before == after)[hour != changed].all()


class TestErrors:
    def test_a_row_without_an_outcome_has_no_class(self) -> None:
        with pytest.raises(ValueError, match="1 of 2 rows have no forward return"):
            beats_fleet(np.array([0.1, np.nan]), np.ones(2), np.zeros(2), LABEL)

    def test_no_rows_no_answers(self) -> None:
        none = np.zeros(0)
        assert beats_fleet(none, none, none, LABEL).tolist() == []
