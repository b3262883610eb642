import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from fleet_kedro.models.ensemble import EnsembleSettings, combine, ensemble_weights

AS_SEEN = EnsembleSettings(confidence=0.0, ridge=1e-9)
N_ROWS = 3000


def overlapping(rng: np.random.Generator, n_rows: int, horizon: int) -> np.ndarray:
    """Outcomes of unit variance that share all but one hour with their neighbour."""
    hourly = rng.standard_normal(n_rows + horizon - 1)
    return np.convolve(hourly, np.ones(horizon), "valid") / math.sqrt(horizon)


def slowly_moving(rng: np.random.Generator, n_rows: int) -> np.ndarray:
    """Forecasts that know nothing and, like real ones, change from day to day."""
    steps, decay = rng.standard_normal(n_rows + 100), 0.95 ** np.arange(100)
    return np.convolve(steps, decay, "valid")[:n_rows] * math.sqrt(1 - 0.95**2)


def weigh(forecast, outcome, horizon=1, chosen=None, unit=None):
    return ensemble_weights(
        np.asarray(forecast, dtype=np.float64),
        outcome,
        np.ones(len(outcome)) if unit is None else unit,
        horizon,
        chosen or EnsembleSettings(),
    )


def mixed_members(seed: int, n_rows: int = N_ROWS):
    """Outcomes with a known part, and three members: good, poor, and clueless."""
    rng = np.random.default_rng(seed)
    known = 0.4 * rng.standard_normal(n_rows)
    outcome = known + rng.standard_normal(n_rows)
    members = [
        known + 0.2 * rng.standard_normal(n_rows),
        0.5 * known + 0.5 * rng.standard_normal(n_rows),
        0.3 * rng.standard_normal(n_rows),
    ]
    return np.column_stack(members), outcome


class TestKnownValues:
    def test_two_perfect_halves_recombine(self):
        rng = np.random.default_rng(0)
        outcome, noise = rng.standard_normal((2, N_ROWS))
        halves = np.column_stack([outcome + noise, outcome - noise])

        assert weigh(halves, outcome) == pytest.approx([0.5, 0.5], abs=2e-3)

    def test_a_perfect_member_takes_everything(self):
        rng = np.random.default_rng(1)
        outcome = rng.standard_normal(N_ROWS)
        members = np.column_stack([outcome, rng.standard_normal(N_ROWS)])

        assert weigh(members, outcome) == pytest.approx([1, 0], abs=2e-3)

    def test_a_single_model_is_shrunk_by_its_own_doubt(self):
        """Twice the best forecast gets a bit less than half of the weight."""
        rng = np.random.default_rng(2)
        known = 0.1 * rng.standard_normal(N_ROWS)
        outcome = known + rng.standard_normal(N_ROWS)
        twice = 2 * known[:, np.newaxis]
        slope = np.mean(twice[:, 0] * outcome) / np.mean(twice**2)
        missed = outcome - slope * twice[:, 0]
        error = np.std(twice[:, 0] * missed) / math.sqrt(N_ROWS) / np.mean(twice**2)

        assert weigh(twice, outcome, chosen=AS_SEEN) == pytest.approx([slope])
        # One clueless member stays below the 99 % quantile of a normal, 2.326.
        expected = slope * (1 - (2.326 * error / slope) ** 2)
        assert expected < 0.9 * slope
        assert weigh(twice, outcome) == pytest.approx([expected], rel=0.02)

    def test_a_member_that_points_the_wrong_way_gets_nothing(self):
        members, outcome = mixed_members(3)

        assert weigh(-members, outcome).tolist() == [0.0, 0.0, 0.0]

    def test_twins_share_their_weight(self):
        members, outcome = mixed_members(4)
        alone = weigh(members[:, :1], outcome)
        together = weigh(members[:, [0, 0]], outcome)

        assert together[0] == pytest.approx(together[1], rel=1e-3)
        assert together.sum() == pytest.approx(alone[0], rel=2e-3)

    def test_a_drift_can_be_forecast_by_a_constant(self):
        outcome = 0.5 + np.random.default_rng(5).standard_normal(N_ROWS)
        flat = np.full((N_ROWS, 1), 0.5)

        assert 0.8 < weigh(flat, outcome)[0] <= 1
        assert weigh(-flat, outcome)[0] == 0

    def test_members_that_always_say_zero_get_nothing(self):
        members, outcome = mixed_members(6)
        silent = np.zeros((N_ROWS, 1))

        assert weigh(silent, outcome).tolist() == [0.0]
        both = weigh(np.hstack([silent, members]), outcome)
        assert both[0] == 0
        assert both[1:] == pytest.approx(weigh(members, outcome))

    def test_few_outcomes_are_no_evidence(self):
        rng = np.random.default_rng(7)
        outcome = rng.standard_normal(359)
        assert weigh(outcome[:, np.newaxis], outcome, horizon=12).tolist() == [0.0]
        outcome = rng.standard_normal(360)
        assert weigh(outcome[:, np.newaxis], outcome, horizon=12)[0] > 0.5

    def test_calm_hours_count_as_much_as_wild_ones(self):
        """A member that is right in calm hours and wrong in wild ones, in returns."""
        rng = np.random.default_rng(8)
        unit = np.where(np.arange(N_ROWS) < N_ROWS - 300, 0.001, 0.05)
        scaled = rng.standard_normal(N_ROWS)
        member = np.where(unit < 0.01, 0.5 * scaled, -0.2 * scaled)[:, np.newaxis]

        assert weigh(member * unit[:, np.newaxis], scaled * unit, unit=unit)[0] > 0.9
        raw = weigh(
            member * unit[:, np.newaxis], scaled * unit, unit=np.full(N_ROWS, 0.01)
        )
        assert raw[0] == 0


class TestAgainstSlowReference:
    @staticmethod
    def bound(weights, members, outcome, unexplained, c):
        """Return the lower bound of the gain over 2 h, each sum written out."""
        n_rows, lags = len(outcome), 8
        said = members @ weights
        product = said * unexplained
        away = product - product.mean()
        variance = np.sum(away * away)
        for lag in range(1, lags + 1):
            together = sum(away[row] * away[row - lag] for row in range(lag, n_rows))
            variance += 2 * (1 - lag / (lags + 1)) * together
        spread = math.sqrt(max(variance, 0.0)) / n_rows
        return 2 * (np.mean(said * outcome) - c * spread) - np.mean(said**2)

    @staticmethod
    def maximise(gain):
        """Search all weights, from two sides."""
        found = [
            minimize(
                lambda weights: -gain(weights),
                start,
                method="SLSQP",
                bounds=[(0, 1)] * 3,
                constraints={"type": "ineq", "fun": lambda weights: 1 - weights.sum()},
                options={"ftol": 1e-12},
            )
            for start in ([0.3, 0.3, 0.3], [0.9, 0.01, 0.01])
        ]
        return max((result.x for result in found), key=gain)

    @staticmethod
    def luck(members, unexplained, confidence):
        """Draw the largest ``t`` of independent clueless members, and interpolate."""
        alike = np.corrcoef((members * unexplained[:, np.newaxis]).T)
        directions = len(alike) ** 2 / np.sum(alike**2)
        drawn = np.random.default_rng(0).standard_normal((400_000, 4))
        whole = [math.floor(directions), math.floor(directions) + 1]
        quantiles = [
            np.quantile(
                np.sqrt(np.sum(np.maximum(drawn[:, :count], 0) ** 2, axis=1)),
                confidence,
            )
            for count in whole
        ]
        return np.interp(directions, whole, quantiles)

    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("confidence", [0.8, 0.99])
    def test_maximises_the_lower_bound(self, seed, confidence):
        members, outcome = mixed_members(seed, n_rows=400)
        chosen = EnsembleSettings(confidence=confidence, ridge=1e-9)
        weights = weigh(members, outcome, horizon=2, chosen=chosen)

        def seen(candidate):
            return np.mean(outcome**2) - np.mean((outcome - members @ candidate) ** 2)

        unexplained = outcome - members @ self.maximise(seen)

        def gain(candidate, c):
            return self.bound(candidate, members, outcome, unexplained, c)

        def statistic(candidate):
            spread = (gain(candidate, 0.0) - gain(candidate, 1.0)) / 2
            return np.mean(members @ candidate * outcome) / spread

        largest = statistic(self.maximise(statistic))
        c = self.luck(members, unexplained, confidence) ** 2 / largest
        expected = self.maximise(lambda candidate: gain(candidate, c))
        assert c > 0.1
        assert weights == pytest.approx(expected, abs=5e-3)
        assert gain(weights, c) >= gain(expected, c) - 1e-5


class TestProperties:
    @given(
        seed=st.integers(0, 10_000),
        n_members=st.integers(1, 6),
        strength=st.sampled_from([0.0, 0.1, 1.0, 10.0]),
        horizon=st.sampled_from([1, 12]),
    )
    @settings(max_examples=40, deadline=None)
    def test_weights_are_shares(self, seed, n_members, strength, horizon):
        rng = np.random.default_rng(seed)
        outcome = overlapping(rng, 600, horizon)
        members = strength * outcome[:, np.newaxis] + rng.standard_normal(
            (600, n_members)
        ) * rng.choice([1e-6, 0.1, 1.0, 5.0], n_members)
        weights = weigh(members, outcome, horizon)

        assert weights.shape == (n_members,)
        assert (weights >= 0).all()
        assert weights.sum() <= 1 + 1e-12

    @pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
    def test_the_order_of_the_members_does_not_matter(self, order):
        members, outcome = mixed_members(9)

        assert weigh(members[:, order], outcome) == pytest.approx(
            weigh(members, outcome)[list(order)], abs=1e-7
        )

    def test_a_useless_member_gets_next_to_nothing(self):
        """No more than the noise of 3,000 rows, which moves a forecast by 1 %."""
        told = [weigh(*mixed_members(seed)) for seed in range(20)]

        assert np.mean([weights[0] for weights in told]) > 0.7
        assert np.mean([weights[2] for weights in told]) < 0.03
        assert max(weights[2] for weights in told) < 0.15

    def test_units_do_not_matter(self):
        members, outcome = mixed_members(10)
        unit = np.full(N_ROWS, 1e-4)

        scaled = weigh(1e-4 * members, 1e-4 * outcome, unit=unit)
        assert scaled == pytest.approx(weigh(members, outcome), rel=1e-6)

    def test_more_doubt_never_gives_more_weight(self):
        members, outcome = mixed_members(11)
        totals = [
            weigh(members[:, :1], outcome, chosen=EnsembleSettings(confidence=doubt))[0]
            for doubt in (0, 0.5, 0.9, 0.99, 1 - 1e-6, 1 - 1e-12)
        ]

        assert totals == sorted(totals, reverse=True)
        assert totals[-1] < 0.95 * totals[0]

    @pytest.mark.parametrize(
        ("n_members", "confidence"), [(1, 0.8), (3, 0.95), (6, 0.8)]
    )
    def test_clueless_members_get_nothing_as_often_as_promised(
        self, n_members, confidence
    ):
        rng = np.random.default_rng(12)
        chosen = EnsembleSettings(confidence=confidence)
        silent = [
            weigh(*drawn, chosen=chosen).sum() == 0
            for drawn in (
                (rng.standard_normal((1000, n_members)), rng.standard_normal(1000))
                for _ in range(200)
            )
        ]

        assert np.mean(silent) == pytest.approx(confidence, abs=0.06)

    def test_weak_members_are_worth_more_together(self):
        """Their errors cancel in the mean, and the gain can be worked out."""
        rng = np.random.default_rng(13)
        known = 0.1 * rng.standard_normal(N_ROWS)
        outcome = known + rng.standard_normal(N_ROWS)
        members = known[:, np.newaxis] + 0.15 * rng.standard_normal((N_ROWS, 8))

        def gain(weights):
            total = weights.sum()
            return 2 * 0.01 * total - 0.01 * total**2 - 0.0225 * weights @ weights

        alone = [gain(weigh(members[:, [column]], outcome)) for column in range(8)]
        assert gain(weigh(members, outcome)) > 1.3 * max(alone) > 0

    @pytest.mark.parametrize("horizon", [1, 12])
    def test_on_a_random_walk_zero_is_hardly_ever_left(self, horizon):
        """Six clueless members, weighed on two thousand hours and judged on more."""
        excess, is_zero = [], []
        for seed in range(20):
            rng = np.random.default_rng(seed)
            outcome = overlapping(rng, 14_000, horizon)
            members = 0.15 * np.column_stack(
                [slowly_moving(rng, 14_000) for _ in range(6)]
            )
            forecast = np.zeros(14_000)
            for start in (2000, 5000, 8000, 11_000):
                past, fold = slice(0, start - horizon - 1), slice(start, start + 3000)
                weights = weigh(members[past], outcome[past], horizon)
                forecast[fold] = combine(members[fold], weights)
            judged = slice(2000, None)
            missed = np.mean((outcome - forecast)[judged] ** 2)
            excess.append(math.sqrt(missed / np.mean(outcome[judged] ** 2)) - 1)
            is_zero.append(not forecast.any())

        assert np.mean(is_zero) > 0.8
        assert max(excess) < 0.001

    def test_rows_that_are_not_known_are_left_out(self):
        members, outcome = mixed_members(14)
        broken, unknown = members.copy(), outcome.copy()
        broken[5:9, 1] = np.nan
        unknown[[20, 30]] = np.nan
        kept = np.ones(N_ROWS, dtype=bool)
        kept[[5, 6, 7, 8, 20, 30]] = False

        assert weigh(broken, unknown) == pytest.approx(
            weigh(members[kept], outcome[kept]), rel=1e-12
        )

    def test_nothing_known_means_no_weight(self):
        members, outcome = mixed_members(15)

        assert weigh(members, np.full(N_ROWS, np.nan)).tolist() == [0.0] * 3
        assert weigh(members[:0], outcome[:0]).tolist() == [0.0] * 3

    def test_the_input_is_left_as_it_was(self):
        members, outcome = mixed_members(16)
        before = members.copy(), outcome.copy()
        weigh(members, outcome)

        np.testing.assert_array_equal(members, before[0])
        np.testing.assert_array_equal(outcome, before[1])


class TestCombine:
    def test_is_the_weighted_sum(self):
        said = combine(np.array([[0.01, 0.03], [0.02, -0.02]]), np.array([0.5, 0.25]))

        assert said == pytest.approx([0.0125, 0.005])

    def test_a_member_without_weight_may_say_nothing(self):
        said = combine(np.array([[0.01, np.nan], [np.nan, 0.02]]), np.array([0.5, 0.0]))

        assert said[0] == pytest.approx(0.005)
        assert np.isnan(said[1])

    def test_no_weight_at_all_is_the_zero_forecast(self):
        said = combine(np.full((3, 2), np.nan), np.zeros(2))

        assert said.tolist() == [0.0, 0.0, 0.0]
