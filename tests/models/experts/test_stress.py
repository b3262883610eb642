import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from fleet_kedro.models.experts.stress import StressExpert


def rare(n_rows: int, seed: int = 0, intercept: float = -2.5):
    """Rows of a known straight line; about one in ten is positive."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_rows, 3))
    probability = expit(intercept + X @ [0.8, -0.5, 0.0])
    return X, (rng.random(n_rows) < probability).astype(int), probability


def log_loss(truth, p):
    """Expected loss of answering ``p`` where the chance is ``truth``."""
    return -np.mean(truth * np.log(p) + (1 - truth) * np.log(1 - p))


class TestKnownValues:
    def test_class_weights_leave_the_base_rate_alone(self):
        X, y, _ = rare(40_000)
        fresh, _, truth = rare(40_000, seed=1)

        answer = StressExpert(penalty=1e-4).fit(X, y).predict_proba(fresh)[:, 1]

        # Balanced classes alone would answer 0.5 on average, where the truth is 0.11.
        assert truth.mean() < 0.12
        assert abs(answer.mean() - truth.mean()) < 0.005
        assert np.abs(answer - truth).mean() < 0.01

    @pytest.mark.parametrize("part", [slice(0, 4000), slice(16_000, 20_000)])
    def test_calibrated_at_both_ends(self, part):
        X, y, truth = rare(20_000)
        answer = StressExpert(penalty=1e-4).fit(X, y).predict_proba(X)[:, 1]

        fifth = np.argsort(answer)[part]

        assert answer[fifth].mean() == pytest.approx(truth[fifth].mean(), rel=0.15)

    def test_a_heavy_penalty_leaves_the_weighted_base_rate(self):
        X, y, _ = rare(2000)
        weight = np.where(y == 1, 3.0, 1.0)

        answer = StressExpert(penalty=1e9).fit(X, y, weight).predict_proba(X)[:, 1]

        np.testing.assert_allclose(answer, weight @ y / weight.sum(), rtol=1e-4)


class TestAgainstSlowReference:
    def test_equals_balanced_scikit_learn_but_for_the_intercept(self):
        X, y, _ = rare(3000)
        Z = np.clip((X - X.mean(axis=0)) / X.std(axis=0), -3.0, 3.0)
        reference = LogisticRegression(
            C=1 / (0.01 * len(y)), class_weight="balanced", tol=1e-10, max_iter=1000
        ).fit(Z, y)

        expert = StressExpert(penalty=0.01).fit(X, y)

        np.testing.assert_allclose(expert.coef_, reference.coef_[0], atol=1e-5)
        shift = logit(y.mean())
        np.testing.assert_allclose(
            expert.intercept_, reference.intercept_[0] + shift, atol=1e-5
        )


class TestProperties:
    def test_a_wild_row_moves_the_odds_no_farther_than_the_limit(self):
        X, y, _ = rare(5000)
        expert = StressExpert(limit_deviations=2.0).fit(X, y)
        direction = np.sign(expert.coef_)

        far, farther = expert.predict_proba(np.outer([1e2, 1e6], direction))[:, 1]

        reach = 2.0 * np.abs(expert.coef_).sum()
        assert far == farther
        assert logit(far) == pytest.approx(expert.intercept_ + reach)

    def test_a_burst_of_volatility_costs_little(self):
        """Inputs five times as large as the odds that they stand for."""
        X, y, _ = rare(40_000)
        calm, _, truth = rare(20_000, seed=1)

        def cost(limit):
            expert = StressExpert(limit_deviations=limit).fit(X, y)
            p, q = (expert.predict_proba(rows)[:, 1] for rows in (calm, 5.0 * calm))
            return log_loss(truth, q) - log_loss(truth, p)

        unbounded, bounded = cost(1e9), cost(3.0)

        assert 0.0 < bounded < unbounded / 3.0

    def test_a_column_silent_in_training_stays_silent(self):
        X, y, _ = rare(2000)
        expert = StressExpert().fit(np.column_stack([X, np.zeros(len(X))]), y)

        calm, warned = (
            expert.predict_proba(np.column_stack([X, np.full(len(X), flag)]))
            for flag in (0.0, 1.0)
        )

        np.testing.assert_array_equal(calm, warned)
