import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from fleet_kedro.features.percentile_ranks import CHUNK_HOURS, PercentileRanks


def percentiles(values: np.ndarray) -> np.ndarray:
    ranks = PercentileRanks.of(values)
    hours = np.arange(len(values))
    columns = [ranks.of_asset(column, hours) for column in range(values.shape[1])]
    return np.column_stack(columns)


# Few different values, so that ties are common.
matrices = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 5), st.integers(1, 9)),
    elements=st.sampled_from([-1.0, 0.0, 0.5, 2.0, np.nan]),
)


class TestKnownValues:
    def test_ranks_go_from_lowest_to_highest_among_the_known(self):
        found = percentiles(
            np.array([[3.0, 1.0, 2.0], [5.0, np.nan, 7.0], [np.nan, 4.0, np.nan]])
        )
        np.testing.assert_array_equal(
            found, [[1.0, -1.0, 0.0], [-1.0, np.nan, 1.0], [np.nan, 0.0, np.nan]]
        )

    def test_ties_share_their_mean_rank(self):
        found = percentiles(np.array([[0.0, 0.0, 1.0]]))
        np.testing.assert_array_equal(found, [[-0.5, -0.5, 1.0]])

    def test_only_the_hours_asked_for_are_returned(self):
        ranks = PercentileRanks.of(np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 1.0]]))
        np.testing.assert_array_equal(ranks.of_asset(1, np.array([2, 0])), [0.0, 1.0])


class TestAgainstSlowReference:
    @given(values=matrices)
    def test_an_hour_is_ranked_by_itself(self, values):
        found = percentiles(values)
        for row, ranked in zip(values, found, strict=True):
            known = row[~np.isnan(row)]
            steps = max(len(known) - 1, 1)
            mean_rank = stats.rankdata(known) if len(known) > 1 else np.full(1, 1.5)
            expected = (2 * (mean_rank[: len(known)] - 1) / steps - 1).astype("float32")
            np.testing.assert_array_equal(ranked[~np.isnan(row)], expected)
            assert np.isnan(ranked[np.isnan(row)]).all()

    @pytest.mark.parametrize("n_assets", [2, 127, 128, 129, 300])
    def test_large_fleets_keep_every_rank_apart(self, n_assets):
        order = np.random.default_rng(n_assets).permutation(n_assets).astype(float)
        found = percentiles(np.stack([order, order[::-1]]))
        expected = (2 * order / (n_assets - 1) - 1).astype("float32")
        np.testing.assert_array_equal(found, [expected, expected[::-1]])


class TestProperties:
    def test_hours_beyond_the_first_chunk_are_ranked_like_those_in_it(self):
        few = np.random.default_rng(2).normal(size=(50, 4))
        many = np.tile(few, (2 * CHUNK_HOURS // 50, 1))
        assert len(many) > CHUNK_HOURS
        np.testing.assert_array_equal(
            percentiles(many), np.tile(percentiles(few), (len(many) // 50, 1))
        )

    @given(values=matrices)
    def test_the_order_of_the_assets_does_not_matter(self, values):
        np.testing.assert_array_equal(
            percentiles(values[:, ::-1]), percentiles(values)[:, ::-1]
        )

    @pytest.mark.parametrize(("n_assets", "n_bytes"), [(44, 1), (127, 1), (128, 2)])
    def test_a_rank_takes_a_byte_or_two(self, n_assets, n_bytes):
        ranks = PercentileRanks.of(np.zeros((3, n_assets)))
        assert ranks.half_steps.nbytes == 3 * n_assets * n_bytes
