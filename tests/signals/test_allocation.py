from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from fleet_kedro.signals.allocation import AllocationLimits, allocate, cash

NAN = np.nan
TINY = 1e-9
LIMITS = AllocationLimits()

SCORES = st.lists(
    st.one_of(
        st.floats(-0.2, 0.2, allow_subnormal=False),
        st.sampled_from([0.0, NAN, np.inf, -np.inf, 0.01]),
    ),
    min_size=1,
    max_size=14,
)
EXPOSURES = st.sampled_from([0.0, 0.05, 0.1, 0.4, 0.7, 1.0])
SETTINGS = st.builds(
    dict,
    largest_weight=st.sampled_from([0.1, 0.45, 1.0]),
    smallest_weight=st.sampled_from([0.0, 0.05, 0.1]),
    least_cash=st.sampled_from([0.0, 0.2, 0.5]),
    allows_short=st.booleans(),
)


def one(
    scores: list[float], exposure: float = 1.0, limits: AllocationLimits = LIMITS
) -> np.ndarray:
    return allocate(np.array([scores]), np.array([exposure]), limits)[0]


def reference(
    scores: list[float], exposure: float, limits: AllocationLimits
) -> np.ndarray:
    """The definition: of all scales at which a weight bends, and between, the largest.

    Between two bends the sum of the weights is linear in the scale.
    """
    known = [s if np.isfinite(s) else 0.0 for s in scores]
    asked = np.array([abs(s) if limits.allows_short else max(s, 0.0) for s in known])
    budget = exposure * (1 - limits.least_cash)
    floor = limits.smallest_weight
    if floor:
        places = int(budget / floor + 1e-9)
        for loser in sorted(range(len(asked)), key=lambda i: -asked[i])[places:]:
            asked[loser] = 0.0
    if not asked.any():
        return np.zeros(len(asked))
    share = asked / asked.sum()
    active = share > 0
    cap = max(exposure * limits.largest_weight, floor)

    def weights(scale: float) -> np.ndarray:
        return np.where(active, np.minimum(np.maximum(scale * share, floor), cap), 0.0)

    bends = {x for s in share[active] for x in (floor / s, cap / s) if x < exposure}
    best = 0.0
    for begin, end in pairwise(sorted({0.0, *bends, exposure})):
        low, high = weights(begin).sum(), weights(end).sum()
        if low > budget + 1e-12:
            break
        best = end
        if high > budget + 1e-12:
            best = begin + (end - begin) * (budget - low) / (high - low)
            break
    return np.sign(known) * weights(best)


class TestKnownValues:
    def test_a_single_asset_gets_the_cap(self) -> None:
        assert one([0.0186, 0.0, 0.0]).tolist() == [0.45, 0.0, 0.0]

    def test_two_equal_ones_share_what_cash_leaves(self) -> None:
        np.testing.assert_allclose(one([1.0, 1.0]), [0.4, 0.4])

    def test_what_a_cap_cuts_off_stays_cash(self) -> None:
        # Normalised: 0.75 and 0.25.
        np.testing.assert_allclose(one([3.0, 1.0]), [0.45, 0.25])

    def test_a_weak_one_is_raised_to_the_floor(self) -> None:
        np.testing.assert_allclose(one([19.0, 1.0]), [0.45, 0.10])

    def test_those_above_the_floor_make_room_in_proportion(self) -> None:
        # 4 : 3 : 2 : 1 of 0.8 are 0.32, 0.24, 0.16 and 0.08; the last is raised, and
        # the others share the remaining 0.7.
        np.testing.assert_allclose(
            one([4.0, 3.0, 2.0, 1.0]), [2.8 / 9, 2.1 / 9, 1.4 / 9, 0.1]
        )

    def test_of_eleven_the_best_eight_are_kept(self) -> None:
        scores = [5.0, 1.0, 6.0, 2.0, 7.0, 3.0, 8.0, 4.0, 9.0, 10.0, 11.0]
        np.testing.assert_allclose(one(scores), [0.1 * (s > 3.0) for s in scores])

    def test_of_equals_those_named_first_are_kept(self) -> None:
        np.testing.assert_allclose(one([1.0] * 11), [0.1] * 8 + [0.0] * 3)

    def test_fear_scales_the_whole_but_not_the_floor(self) -> None:
        np.testing.assert_allclose(one([1.0, 0.0], 0.4), [0.18, 0.0])
        np.testing.assert_allclose(one([1.0, 1.0], 0.4), [0.16, 0.16])
        np.testing.assert_allclose(one([1.0] * 11, 0.4)[:4], [0.32 / 3] * 3 + [0.0])

    def test_less_room_than_the_floor_is_none(self) -> None:
        assert one([1.0, 2.0], 0.1).tolist() == [0.0, 0.0]

    def test_long_only_a_negative_score_is_an_exit(self) -> None:
        np.testing.assert_allclose(one([1.0, -5.0]), [0.45, 0.0])

    def test_short_positions_are_bound_like_long_ones(self) -> None:
        short = AllocationLimits(allows_short=True)
        np.testing.assert_allclose(one([1.0, -1.0], limits=short), [0.4, -0.4])

    def test_cash_is_what_is_not_at_work(self) -> None:
        np.testing.assert_allclose(cash(np.array([[0.4, -0.4], [0.0, 0.0]])), [0.2, 1])

    def test_a_tiny_scale_is_as_good_as_any(self) -> None:
        np.testing.assert_allclose(one([3e-300, 1e-300]), [0.45, 0.25])


class TestAgainstSlowReference:
    @settings(max_examples=50, deadline=None)
    @given(scores=SCORES, exposure=EXPOSURES, chosen=SETTINGS)
    def test_equals_the_definition(
        self, scores: list[float], exposure: float, chosen: dict[str, object]
    ) -> None:
        limits = AllocationLimits(**chosen)
        np.testing.assert_allclose(
            one(scores, exposure, limits),
            reference(scores, exposure, limits),
            atol=1e-9,
        )


class TestProperties:
    @settings(max_examples=50, deadline=None)
    @given(scores=SCORES, exposure=EXPOSURES, chosen=SETTINGS)
    def test_all_limits_hold(
        self, scores: list[float], exposure: float, chosen: dict[str, object]
    ) -> None:
        limits = AllocationLimits(**chosen)
        weight = one(scores, exposure, limits)
        size = np.abs(weight)

        assert np.isfinite(weight).all()
        assert size.sum() <= exposure * (1 - limits.least_cash) + TINY
        assert cash(weight[np.newaxis])[0] >= limits.least_cash - TINY
        assert size.max() <= max(limits.largest_weight, limits.smallest_weight) + TINY
        assert (size[size > 0] >= limits.smallest_weight - TINY).all()
        if not limits.allows_short:
            assert (weight >= 0).all()

    @settings(max_examples=50, deadline=None)
    @given(
        scores=SCORES,
        exposure=EXPOSURES,
        chosen=SETTINGS,
        scale=st.floats(1e-6, 1e6),
    )
    def test_the_scale_of_scores_does_not_matter(
        self,
        scores: list[float],
        exposure: float,
        chosen: dict[str, object],
        scale: float,
    ) -> None:
        limits = AllocationLimits(**chosen)
        plain = [s if abs(s) > 1e-200 else 0.0 for s in scores]
        np.testing.assert_allclose(
            one([scale * s for s in plain], exposure, limits),
            one(plain, exposure, limits),
            atol=TINY,
        )

    @settings(max_examples=50, deadline=None)
    @given(
        scores=st.lists(
            st.integers(-1000, 1000), min_size=1, max_size=14, unique_by=abs
        ),
        seed=st.integers(0, 1000),
        exposure=EXPOSURES,
        chosen=SETTINGS,
    )
    def test_the_order_of_assets_does_not_matter(
        self, scores: list[int], seed: int, exposure: float, chosen: dict[str, object]
    ) -> None:
        limits = AllocationLimits(**chosen)
        order = np.random.default_rng(seed).permutation(len(scores))
        plain = [float(s) for s in scores]
        np.testing.assert_allclose(
            one([plain[i] for i in order], exposure, limits),
            one(plain, exposure, limits)[order],
            atol=TINY,
        )

    @settings(max_examples=50, deadline=None)
    @given(scores=SCORES, exposure=EXPOSURES)
    def test_a_better_score_never_gets_less(
        self, scores: list[float], exposure: float
    ) -> None:
        weight = one(scores, exposure)
        known = np.nan_to_num(scores, nan=0.0, posinf=0.0, neginf=0.0)
        order = np.argsort(known, kind="stable")
        gain = np.diff(weight[order])

        # Of equals the first may get a place that the second does not.
        is_better = np.diff(known[order]) > 0
        assert (gain[is_better] >= -TINY).all()

    @settings(max_examples=50, deadline=None)
    @given(chosen=SETTINGS, n=st.integers(1, 12))
    def test_nothing_to_score_is_all_cash(
        self, chosen: dict[str, object], n: int
    ) -> None:
        limits = AllocationLimits(**chosen)
        assert one([0.0] * n, limits=limits).tolist() == [0.0] * n
        assert one([NAN] * n, limits=limits).tolist() == [0.0] * n

    @settings(max_examples=50, deadline=None)
    @given(
        rows=st.lists(
            st.lists(st.sampled_from([-0.1, 0.0, 0.01, 0.02, 0.1, NAN]), min_size=3),
            min_size=1,
            max_size=6,
        )
    )
    def test_many_moments_at_once_are_those_moments_one_by_one(
        self, rows: list[list[float]]
    ) -> None:
        scores = np.array([row[:3] for row in rows])
        exposure = np.linspace(0.3, 1.0, len(rows))
        together = allocate(scores, exposure, LIMITS)
        for row, weight in enumerate(together):
            np.testing.assert_array_equal(
                weight, one(scores[row].tolist(), float(exposure[row]))
            )

    def test_the_input_is_left_alone(self) -> None:
        scores, exposure = np.array([[1.0, NAN, -2.0]]), np.array([0.7])
        kept = scores.copy(), exposure.copy()
        allocate(scores, exposure, LIMITS)
        np.testing.assert_array_equal(scores, kept[0])
        np.testing.assert_array_equal(exposure, kept[1])


class TestErrors:
    def test_floor_above_cap(self) -> None:
        with pytest.raises(ValidationError, match="swap them"):
            AllocationLimits(largest_weight=0.1, smallest_weight=0.2)

    def test_floor_beside_cash(self) -> None:
        with pytest.raises(ValidationError, match="does not fit beside"):
            AllocationLimits(smallest_weight=0.3, least_cash=0.8)
