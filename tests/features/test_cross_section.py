import numpy as np
import pytest
from scipy import stats

from fleet_kedro.features.cross_section import STATISTICS, trailing_matrix
from fleet_kedro.features.market_returns import MarketReturns
from fleet_kedro.features.side_by_side import SideBySide, Stretch
from fleet_kedro.market.by_asset import by_asset

W = 21


@pytest.fixture(scope="module")
def stretch() -> Stretch:
    rng = np.random.default_rng(8)
    log_close = np.cumsum(rng.normal(0.0, 0.01, 120))
    return Stretch(
        rows=slice(0, 120),
        column=0,
        log_close=log_close,
        log_high=log_close + rng.exponential(0.005, 120),
        volume=rng.lognormal(3.0, 1.0, 120),
    )


@pytest.fixture(scope="module")
def others() -> np.ndarray:
    return np.random.default_rng(9).normal(0.0, 0.01, 120)


class TestAgainstSlowReference:
    @pytest.mark.parametrize("t", [62, 63, 119])
    def test_statistics(self, t, stretch, others):
        seen = slice(t - W + 1, t + 1)
        moves = np.diff(stretch.log_close, prepend=np.nan)
        beta, level = np.polyfit(others[seen], moves[seen], 1)
        unexplained = moves[seen].mean() - beta * others[seen].mean()
        assert unexplained == pytest.approx(level)
        usual = stretch.volume[t - 3 * W + 1 : t + 1].mean()
        # Of two assets, the other one is all others.
        returns = MarketReturns(np.column_stack([stretch.log_return, others]))
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
            value = STATISTICS[kind](stretch, returns, W)[t]
            assert value == pytest.approx(expected, rel=1e-8), kind

    def test_every_statistic_has_its_reference(self):
        known = {"return", "volatility", "volume", "peak", "skewness"}
        assert set(STATISTICS) == known | {"beta", "residual"}


class TestProperties:
    def test_windows_start_anew_after_a_gap(self, panel):
        together = SideBySide.of(by_asset(panel))
        returns = MarketReturns(together.matrix(lambda stretch: stretch.log_return))
        matrix = trailing_matrix(together, returns, "return", 5)
        assert np.isnan(matrix[395:455, 1]).sum() == 55
        assert np.isfinite(matrix[5:, [0, 2]]).all()
