import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fleet_kedro.features.cross_section import (
    STATISTICS,
    Stretch,
    mean_of_known,
    percentile_ranks,
    returns_of_others,
    stretches,
    sum_of_known,
    trailing_matrix,
)

W = 21


@pytest.fixture(scope="module")
def stretch() -> Stretch:
    rng = np.random.default_rng(8)
    log_close = np.cumsum(rng.normal(0.0, 0.01, 120))
    return Stretch(
        rows=np.arange(120),
        column=0,
        log_close=log_close,
        log_high=log_close + rng.exponential(0.005, 120),
        volume=rng.lognormal(3.0, 1.0, 120),
    )


@pytest.fixture(scope="module")
def others() -> np.ndarray:
    return np.random.default_rng(9).normal(0.0, 0.01, 120)


class TestKnownValues:
    def test_ranks_go_from_lowest_to_highest_among_the_known(self):
        ranks = percentile_ranks(
            np.array([[3.0, 1.0, 2.0], [5.0, np.nan, 7.0], [np.nan, 4.0, np.nan]])
        )
        np.testing.assert_array_equal(
            ranks, [[1.0, -1.0, 0.0], [-1.0, np.nan, 1.0], [np.nan, 0.0, np.nan]]
        )

    def test_ties_share_their_mean_rank(self):
        ranks = percentile_ranks(np.array([[0.0, 0.0, 1.0]]))
        np.testing.assert_array_equal(ranks, [[-0.5, -0.5, 1.0]])

    def test_unknown_values_add_nothing_and_do_not_count(self):
        values = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]])
        np.testing.assert_array_equal(sum_of_known(values), [4.0, 0.0])
        np.testing.assert_array_equal(mean_of_known(values), [2.0, 0.0])

    def test_the_others_are_all_but_oneself(self):
        others = returns_of_others(
            np.array([[1.0, 2.0, np.nan], [4.0, np.nan, np.nan]])
        )
        np.testing.assert_array_equal(others, [[2.0, 1.0, 1.5], [0.0, 4.0, 4.0]])


class TestAgainstSlowReference:
    @pytest.mark.parametrize("t", [62, 63, 119])
    def test_statistics(self, t, stretch, others):
        seen = slice(t - W + 1, t + 1)
        moves = np.diff(stretch.log_close, prepend=np.nan)
        beta, level = np.polyfit(others[seen], moves[seen], 1)
        unexplained = moves[seen].mean() - beta * others[seen].mean()
        assert unexplained == pytest.approx(level)
        usual = stretch.volume[t - 3 * W + 1 : t + 1].mean()
        # Sums of powers of deviations: the window's length cancels in a rank.
        length = W**-0.5
        for kind, expected in {
            "return": stretch.log_close[t] - stretch.log_close[t - W],
            "volatility": np.sqrt(np.mean(moves[seen] ** 2)),
            "volume": stretch.volume[seen].mean() / usual,
            "peak": stretch.log_close[t] - stretch.log_high[seen].max(),
            "skewness": stats.skew(moves[seen]) * length,
            "beta": beta,
            "residual": level / moves[seen].std() * length,
        }.items():
            value = STATISTICS[kind](stretch, others, W)[t]
            assert value == pytest.approx(expected, rel=1e-8), kind

    def test_every_statistic_has_its_reference(self):
        known = {"return", "volatility", "volume", "peak", "skewness"}
        assert set(STATISTICS) == known | {"beta", "residual"}


class TestProperties:
    def test_a_gap_splits_an_asset_and_keeps_its_rows(self, panel):
        hours = pd.DatetimeIndex(panel["timestamp"].unique()).sort_values()
        assets = ("BTC", "DOGE", "ETH")
        own = list(stretches(panel.sample(frac=1.0, random_state=1), hours, assets))
        assert [len(stretch.rows) for stretch in own] == [620, 400, 170, 620]
        assert own[2].rows[0] == 450
        matrix = trailing_matrix(own, np.zeros((620, 3)), "return", 5)
        assert np.isnan(matrix[395:455, 1]).sum() == 55
        assert np.isfinite(matrix[5:, [0, 2]]).all()
