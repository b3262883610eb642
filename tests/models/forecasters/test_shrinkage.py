import numpy as np
import pytest

from fleet_kedro.models.forecasters.shrinkage import kept_share


def shares(slope: float, n_rows: int, n_worlds: int, doubt: float = 1.25):
    """Shares of a forecast with a true coefficient of ``slope``, in noisy worlds."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(n_worlds):
        forecast = 0.1 * rng.standard_normal(n_rows)
        outcome = slope * forecast + rng.standard_normal(n_rows)
        found.append(kept_share(forecast, outcome, 24, doubt))
    return np.array(found)


class TestKnownValues:
    def test_two_blocks_by_hand(self):
        # f·f = 4, f·y = 3, so β = 3/4; e = (1/4, 1/4, 1/4, −3/4). In blocks of two,
        # f e adds up to ±1/2, so s = √(1/2)/4 and (s/β)² = (1/32)/(9/16) = 1/18.
        forecast = np.ones(4)
        outcome = np.array([1.0, 1.0, 1.0, 0.0])

        share = kept_share(forecast, outcome, block_rows=2, doubt=2.0)

        assert share == pytest.approx(0.75 * (1 - 4 / 18))

    def test_no_doubt_leaves_the_least_squares_coefficient(self):
        rng = np.random.default_rng(0)
        forecast = rng.standard_normal(500)
        outcome = 0.4 * forecast + 0.1 * rng.standard_normal(500)

        fitted = np.linalg.lstsq(forecast[:, np.newaxis], outcome)[0].item()

        assert kept_share(forecast, outcome, 24, doubt=0.0) == pytest.approx(fitted)

    @pytest.mark.parametrize("scale", [1.0, 5.0])
    def test_a_forecast_that_comes_true_is_kept_and_never_made_larger(self, scale):
        forecast = np.random.default_rng(0).standard_normal(100)

        assert kept_share(forecast, scale * forecast, 24, 1.25) == pytest.approx(1.0)

    @pytest.mark.parametrize("outcome", [-np.ones(50), np.zeros(50)])
    def test_a_forecast_that_goes_wrong_is_dropped(self, outcome):
        assert kept_share(np.ones(50), outcome, 24, 1.25) == 0.0

    def test_a_flat_forecast_of_zero_is_dropped(self):
        assert kept_share(np.zeros(50), np.ones(50), 24, 1.25) == 0.0


class TestProperties:
    def test_noise_is_mostly_dropped_and_knowledge_mostly_kept(self):
        assert (shares(slope=0.0, n_rows=2000, n_worlds=300) == 0.0).mean() > 0.85
        assert shares(slope=1.0, n_rows=10_000, n_worlds=100).mean() > 0.9

    def test_outcomes_that_come_twice_are_no_more_evidence(self):
        rng = np.random.default_rng(1)
        forecast = rng.standard_normal(240)
        outcome = 0.2 * forecast + rng.standard_normal(240)

        once = kept_share(forecast, outcome, 24, 1.25)
        twice = kept_share(np.repeat(forecast, 2), np.repeat(outcome, 2), 48, 1.25)

        assert 0 < once < 1
        assert twice == pytest.approx(once)

    def test_more_doubt_keeps_less(self):
        rng = np.random.default_rng(2)
        forecast = rng.standard_normal(1000)
        outcome = 0.2 * forecast + rng.standard_normal(1000)

        kept = [
            kept_share(forecast, outcome, 24, doubt) for doubt in (0.0, 1.0, 2.0, 50.0)
        ]

        assert kept == sorted(kept, reverse=True)
        assert kept[0] > kept[1] > kept[2] > kept[3] == 0.0
