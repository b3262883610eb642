import numpy as np
import pytest

from fleet_kedro.metrics.classification import count_hits, log_loss


class TestKnownValues:
    def test_counts_worked_by_hand(self) -> None:
        signal = np.array([True, True, True, False, False, False, False, False])
        positive = np.array([True, True, False, True, True, False, False, False])
        hits = count_hits(signal, positive)
        assert tuple(hits) == (8, 4, 3, 2)
        assert hits.precision == pytest.approx(2 / 3)
        assert hits.recall == pytest.approx(2 / 4)
        assert hits.base_rate == pytest.approx(4 / 8)
        assert hits.lift == pytest.approx(2 / 3 - 1 / 2)

    def test_always_long_has_the_precision_of_the_base_rate(self) -> None:
        positive = np.random.default_rng(0).random(500) < 0.4
        hits = count_hits(np.ones(500, dtype=bool), positive)
        assert hits.lift == 0
        assert hits.recall == 1

    def test_nothing_is_claimed_without_a_signal(self) -> None:
        hits = count_hits(np.zeros(3, dtype=bool), np.array([True, False, True]))
        assert np.isnan(hits.precision)
        assert hits.recall == 0

    def test_log_loss_is_minus_log_of_what_happened(self) -> None:
        loss = log_loss(np.array([0.8, 0.8]), np.array([True, False]))
        np.testing.assert_allclose(loss, [-np.log(0.8), -np.log(0.2)])

    def test_certainty_that_fails_costs_much_but_not_infinity(self) -> None:
        loss = log_loss(np.array([0.0, 1.0]), np.array([True, False]))
        assert np.isfinite(loss).all()
        assert (loss > 20).all()
