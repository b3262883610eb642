import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError
from sklearn.isotonic import IsotonicRegression

from fleet_kedro.models.venn_abers import VennAbers

FOUR = np.array([0.2, 0.4, 0.6, 0.8])
FOUR_OUTCOMES = np.array([False, True, False, True])


def _record(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Chances, a forecaster who exaggerates them, and outcomes."""
    rng = np.random.default_rng(seed)
    chance = rng.uniform(0.2, 0.8, n)
    boast = np.clip(0.5 + 1.6 * (chance - 0.5), 0, 1)
    return chance, boast, rng.random(n) < chance


def _slow_interval(
    probability: np.ndarray, is_positive: np.ndarray, score: float, weight: float
) -> tuple[float, float]:
    """Refit an isotonic regression with the new row, once for each outcome."""
    low, high = (
        IsotonicRegression()
        .fit(
            np.append(probability, score),
            np.append(is_positive, outcome).astype(float),
            np.append(np.ones(len(probability)), weight),
        )
        .predict([score])[0]
        for outcome in (0, 1)
    )
    return low, high


class TestKnownValues:
    @pytest.mark.parametrize(
        ("score", "low", "high"),
        [
            (0.1, 0, 1 / 2),  # (0 | 0 1 0 1) and (1 0 1 0 | 1)
            (0.2, 0, 1 / 2),  # the pair (0 0), and ({0 1} 1 0 | 1)
            (0.4, 1 / 3, 2 / 3),  # a tie: (0 | {1 0} 0 | 1) and (0 | {1 1} 0 | 1)
            (0.5, 1 / 3, 2 / 3),  # (0 | 1 0 0 | 1) and (0 | 1 1 0 | 1)
            (0.9, 1 / 2, 1),  # (0 | 1 0 1 0) and (0 | 1 0 | 1 | 1)
        ],
    )
    def test_four_rows_by_hand(self, score: float, low: float, high: float) -> None:
        venn = VennAbers().fit(FOUR, FOUR_OUTCOMES)
        found = np.array(venn.interval(np.array([score])))
        np.testing.assert_allclose(found.ravel(), [low, high], rtol=1e-15)

    def test_a_new_row_of_double_weight_by_hand(self) -> None:
        venn = VennAbers(effective_share=0.5).fit(FOUR, FOUR_OUTCOMES)
        low, high = venn.interval(np.array([0.5]))
        assert (low[0], high[0]) == (1 / 4, 3 / 4)

    def test_one_row(self) -> None:
        venn = VennAbers().fit(np.array([0.5]), np.array([True]))
        low, high = venn.interval(np.array([0.4, 0.5, 0.6]))
        np.testing.assert_array_equal(low, [0, 0.5, 0.5])
        np.testing.assert_array_equal(high, [1, 1, 1])

    @pytest.mark.parametrize("share", [1.0, 1 / 12])
    def test_outcomes_all_alike_follow_the_rule_of_succession(
        self, share: float
    ) -> None:
        score = np.linspace(0.1, 0.9, 9)
        rows_up_to = np.arange(1, 10)
        always = VennAbers(effective_share=share).fit(score, np.full(9, True))
        never = VennAbers(effective_share=share).fit(score, np.full(9, False))
        expected = rows_up_to * share / (rows_up_to * share + 1)
        np.testing.assert_allclose(always.interval(score)[0], expected, rtol=1e-13)
        np.testing.assert_array_equal(always.interval(score)[1], 1)
        np.testing.assert_array_equal(never.interval(score)[0], 0)
        np.testing.assert_allclose(
            never.interval(score)[1], 1 - expected[::-1], rtol=1e-13
        )

    def test_one_score_only_is_a_share_with_one_row_more(self) -> None:
        venn = VennAbers().fit(np.full(10, 0.3), np.arange(10) < 4)
        low, high = venn.interval(np.array([0.3]))
        assert (low[0], high[0]) == (4 / 11, 5 / 11)

    def test_merged_probability_has_the_smallest_worst_regret(self) -> None:
        venn = VennAbers().fit(FOUR, np.array([False, False, False, True]))
        score = np.array([0.7])
        low, high = (end[0] for end in venn.interval(score))
        choices = np.linspace(0.001, 0.999, 9981)
        regret = np.maximum(np.log((1 - low) / (1 - choices)), np.log(high / choices))
        best = choices[regret.argmin()]
        assert venn.predict(score)[0] == pytest.approx(best, abs=1e-4)


class TestAgainstTwoRefitsPerRow:
    @given(
        cells=st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=1),
        share=st.one_of(st.sampled_from([1.0, 1 / 12]), st.floats(0.01, 1)),
    )
    @settings(max_examples=50, deadline=None)
    def test_small_records_with_ties(
        self, cells: list[tuple[int, bool]], share: float
    ) -> None:
        probability = np.array([cell for cell, _ in cells]) / 8
        is_positive = np.array([outcome for _, outcome in cells])
        venn = VennAbers(effective_share=share).fit(probability, is_positive)
        scores = np.arange(17) / 16  # on every cell, and between each two
        low, high = venn.interval(scores)
        slow = [
            _slow_interval(probability, is_positive, score, 1 / share)
            for score in scores
        ]
        np.testing.assert_allclose(np.column_stack((low, high)), slow, atol=1e-12)

    @pytest.mark.parametrize("share", [1.0, 1 / 12, 0.37])
    @pytest.mark.parametrize("kind", ["noisy", "perfect", "always wrong", "even"])
    def test_long_records(self, share: float, kind: str) -> None:
        rng = np.random.default_rng(3)
        chance = np.sort(rng.random(2000))
        is_positive = {
            "noisy": rng.random(2000) < chance,
            "perfect": chance > 0.5,
            "always wrong": chance < 0.5,
            "even": np.diff(np.floor(np.cumsum(chance)), prepend=0) > 0,
        }[kind]
        venn = VennAbers(effective_share=share).fit(chance, is_positive)
        scores = np.concatenate(([0, 1], chance[::200], rng.random(10)))
        low, high = venn.interval(scores)
        slow = [
            _slow_interval(chance, is_positive, score, 1 / share) for score in scores
        ]
        np.testing.assert_allclose(np.column_stack((low, high)), slow, atol=1e-12)


class TestValidity:
    """Each row in turn is the new one: exchangeable rows, without any chance left."""

    @staticmethod
    def _end_of_the_outcome(
        probability: np.ndarray, is_positive: np.ndarray, copies: int
    ) -> np.ndarray:
        said = np.empty(len(probability))
        for row in range(len(probability)):
            others = np.arange(len(probability)) != row
            venn = VennAbers(effective_share=1 / copies).fit(
                np.repeat(probability[others], copies),
                np.repeat(is_positive[others], copies),
            )
            low, high = venn.interval(probability[row : row + 1])
            said[row] = (high if is_positive[row] else low)[0]
        return said

    @pytest.mark.parametrize("seed", range(5))
    @pytest.mark.parametrize("copies", [1, 12])
    def test_the_end_of_the_outcome_is_calibrated(self, seed: int, copies: int) -> None:
        _, boast, is_positive = _record(80, seed)
        said = self._end_of_the_outcome(np.round(boast, 2), is_positive, copies)
        levels, group = np.unique(np.round(said, 12), return_inverse=True)
        assert len(levels) > 3
        share = np.bincount(group, is_positive) / np.bincount(group)
        np.testing.assert_allclose(share, levels, atol=1e-11)

    def test_the_ends_bracket_what_happens(self) -> None:
        rng = np.random.default_rng(8)
        low, high, came_true = [], [], []
        for seed in range(400):
            _, boast, is_positive = _record(100, seed)
            ends = VennAbers().fit(boast[:80], is_positive[:80]).interval(boast[80:])
            low.append(ends[0])
            high.append(ends[1])
            came_true.append(is_positive[80:])
        outcome = np.concatenate(came_true)
        assert outcome.mean() == pytest.approx(0.5, abs=0.02)
        assert np.mean(low) < outcome.mean() < np.mean(high)
        said = np.where(outcome, np.concatenate(high), np.concatenate(low))
        bins = np.array_split(np.argsort(said + 1e-9 * rng.random(len(said))), 8)
        gap = [outcome[rows].mean() - said[rows].mean() for rows in bins]
        assert np.abs(gap).max() < 4 * 0.5 / np.sqrt(len(said) / 8)

    def test_a_boaster_is_called_back(self) -> None:
        chance, boast, is_positive = _record(50_000)
        merged = VennAbers().fit(boast, is_positive).predict(boast)
        assert np.abs(merged - chance).mean() < 0.02
        assert np.abs(boast - chance).mean() > 0.08


class TestProperties:
    @given(
        cells=st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1),
        share=st.floats(0.001, 1),
        narrower=st.floats(1, 50),
    )
    def test_order_bounds_and_nesting(
        self, cells: list[tuple[int, bool]], share: float, narrower: float
    ) -> None:
        probability = np.array([cell for cell, _ in cells]) / 40
        is_positive = np.array([outcome for _, outcome in cells])
        scores = np.linspace(0, 1, 81)
        venn = VennAbers(effective_share=share).fit(probability, is_positive)
        low, high = venn.interval(scores)
        merged = venn.predict(scores)
        assert (np.diff(low) >= 0).all()
        assert (np.diff(high) >= 0).all()
        assert low.min() >= 0
        assert high.max() <= 1
        assert ((low <= merged) & (merged <= high)).all()
        least_gap = 1 / (1 + len(cells) * share)
        assert (high - low >= least_gap - 1e-12).all()
        wide = VennAbers(effective_share=share / narrower).fit(probability, is_positive)
        wide_low, wide_high = wide.interval(scores)
        assert (wide_low <= low + 1e-12).all()
        assert (wide_high >= high - 1e-12).all()

    def test_nothing_is_known_beyond_the_record(self) -> None:
        _, boast, is_positive = _record(500)
        low, high = (
            VennAbers()
            .fit(boast * 0.8 + 0.1, is_positive)
            .interval(np.array([0.0, 1.0]))
        )
        assert low[0] == 0
        assert high[1] == 1
        assert high[0] < 0.5 < low[1]

    @pytest.mark.parametrize("copies", [2, 12])
    def test_copies_of_each_row_teach_nothing(self, copies: int) -> None:
        _, boast, is_positive = _record(300)
        once = VennAbers().fit(boast, is_positive)
        often = VennAbers(effective_share=1 / copies).fit(
            np.repeat(boast, copies), np.repeat(is_positive, copies)
        )
        scores = np.linspace(0, 1, 201)
        np.testing.assert_allclose(
            often.interval(scores), once.interval(scores), rtol=1e-13
        )

    def test_a_longer_record_narrows_the_interval(self) -> None:
        scores = np.linspace(0.2, 0.8, 61)
        widths = []
        for n in (100, 1000, 10_000, 100_000):
            _, boast, is_positive = _record(n)
            low, high = VennAbers().fit(boast, is_positive).interval(scores)
            widths.append((high - low).mean())
        assert (np.diff(np.log(widths)) < -1).all()
        assert widths[-1] < 0.005

    def test_only_the_order_of_the_forecasts_counts(self) -> None:
        _, boast, is_positive = _record(400)
        plain = VennAbers().fit(boast, is_positive).interval(boast)
        bent = VennAbers().fit(boast**2, is_positive).interval(boast**2)
        np.testing.assert_array_equal(plain, bent)

    def test_same_bytes_in_any_order_of_rows(self) -> None:
        _, boast, is_positive = _record(5000)
        boast = np.round(boast, 3)
        order = np.random.default_rng(1).permutation(5000)
        venn = VennAbers(effective_share=0.3)
        plain = venn.fit(boast, is_positive).interval(boast)
        shuffled = venn.fit(boast[order], is_positive[order]).interval(boast)
        assert np.array(plain).tobytes() == np.array(shuffled).tobytes()

    def test_zeros_and_ones_are_treated_alike(self) -> None:
        _, boast, is_positive = _record(700)
        low, high = VennAbers().fit(boast, is_positive).interval(boast)
        mirror = VennAbers().fit(1 - boast, ~is_positive)
        mirrored_low, mirrored_high = mirror.interval(1 - boast)
        np.testing.assert_allclose(mirrored_low, 1 - high, atol=1e-15)
        np.testing.assert_allclose(mirrored_high, 1 - low, atol=1e-15)

    def test_an_unknown_forecast_stays_unknown(self) -> None:
        venn = VennAbers().fit(FOUR, FOUR_OUTCOMES)
        score = np.array([np.nan, 0.5])
        for found in (*venn.interval(score), venn.predict(score)):
            np.testing.assert_array_equal(np.isnan(found), [True, False])

    def test_no_forecasts_no_intervals(self) -> None:
        low, high = VennAbers().fit(FOUR, FOUR_OUTCOMES).interval(np.empty(0))
        assert low.shape == high.shape == (0,)

    def test_single_precision_is_read_as_it_is(self) -> None:
        _, boast, is_positive = _record(300)
        single = boast.astype(np.float32)
        low, high = VennAbers().fit(single, is_positive).interval(single)
        double = single.astype(np.float64)
        same = VennAbers().fit(double, is_positive).interval(double)
        assert low.dtype == high.dtype == np.float64
        np.testing.assert_array_equal((low, high), same)


class TestErrors:
    @pytest.mark.parametrize("share", [0.0, -0.1, 1.5, np.nan])
    def test_share_out_of_range(self, share: float) -> None:
        with pytest.raises(ValueError, match=r"effective_share is .*above 0"):
            VennAbers(effective_share=share).fit(FOUR, FOUR_OUTCOMES)

    def test_no_rows(self) -> None:
        with pytest.raises(ValueError, match="give at least one"):
            VennAbers().fit(np.empty(0), np.empty(0, dtype=bool))

    def test_unknown_past_forecasts(self) -> None:
        with pytest.raises(ValueError, match="1 past forecasts are NaN"):
            VennAbers().fit(np.array([0.2, np.nan]), np.array([True, False]))

    @pytest.mark.parametrize("score", [-0.01, 1.01, np.inf])
    def test_no_probability(self, score: float) -> None:
        with pytest.raises(ValueError, match="from 0 to 1"):
            VennAbers().fit(np.array([0.2, score]), np.array([True, False]))
        with pytest.raises(ValueError, match="from 0 to 1"):
            VennAbers().fit(FOUR, FOUR_OUTCOMES).interval(np.array([score]))

    def test_not_fitted(self) -> None:
        with pytest.raises(NotFittedError):
            VennAbers().interval(FOUR)
