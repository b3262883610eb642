import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.special import ndtr

from fleet_kedro.models.experts.elastic import ElasticExpert

HORIZON = 12
COST = 0.002


def spring(n_bars: int, sigma: float, seed: int, theta: float = 0.03):
    """Inputs, labels and Bayes probabilities of an exactly simulated OU log price.

    One row in each horizon, so that no two labels share a bar.
    """
    rng = np.random.default_rng(seed)
    decay = np.exp(-theta)
    shock = sigma * np.sqrt((1 - decay**2) / (2 * theta))
    price = lfilter([1.0], [1.0, -decay], shock * rng.standard_normal(n_bars))
    price = price[::HORIZON]
    expected = -price[:-1] * (1 - decay**HORIZON)
    volatility = sigma * np.sqrt((1 - decay ** (2 * HORIZON)) / (2 * theta))
    z = expected / volatility
    X = np.column_stack([expected, np.full_like(z, volatility), z])
    y = (np.diff(price) > COST).astype(int)
    return X, y, ndtr((expected - COST) / volatility)


def fleet(seed: int):
    """Four assets, from calm to wild, one after the other."""
    parts = [spring(120_000, sigma, seed) for sigma in (0.001, 0.003, 0.006, 0.012)]
    return tuple(np.concatenate(part) for part in zip(*parts, strict=True))


def log_loss(y, p):
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


class TestKnownValues:
    @pytest.mark.parametrize("assumed_cost", [COST, 0.01])
    def test_a_planted_spring_is_recovered(self, assumed_cost):
        X, y, _ = fleet(seed=0)
        fresh, outcome, truth = fleet(seed=1)
        expert = ElasticExpert(cost=assumed_cost).fit(X, y)

        answer = expert.predict_proba(fresh)[:, 1]

        assert np.abs(answer - truth).mean() < 0.02
        base = log_loss(outcome, np.full_like(truth, y.mean()))
        best = log_loss(outcome, truth)
        assert base - log_loss(outcome, answer) > 0.98 * (base - best)

    def test_an_endless_prior_is_the_closed_form(self):
        X, y, truth = fleet(seed=0)
        expert = ElasticExpert(cost=COST, prior_rows=1e12, z_limit=50.0)

        answer = expert.fit(X, 1 - y).predict_proba(X)[:, 1]

        np.testing.assert_allclose(answer, truth, atol=1e-6)

    def test_a_spring_that_does_not_pull_is_unlearnt(self):
        X, _, _ = fleet(seed=0)
        y = (np.random.default_rng(2).random(len(X)) < 0.44).astype(int)

        expert = ElasticExpert(cost=0.0).fit(X, y)
        answer = expert.predict_proba(X)[:, 1]

        assert abs(expert.coef_[1]) < 0.05
        np.testing.assert_allclose(answer, 0.44, atol=0.05)


class TestProperties:
    def test_the_solution_is_stationary(self):
        """The gradient of the penalised likelihood, written out, is zero there."""
        X, y, _ = fleet(seed=0)
        weight = np.random.default_rng(1).uniform(1, 2, len(y))
        expert = ElasticExpert(cost=COST, prior_rows=100.0).fit(X, y, weight)
        u = np.column_stack([np.ones(len(X)), X[:, 2].clip(-5, 5), -1 / X[:, 1]])
        u = np.column_stack([u, X[:, 0]])
        size = np.sqrt(np.average(u**2, axis=0, weights=weight))

        def penalised(theta):
            p = ndtr(u @ theta)
            away = (theta - [0, 1, COST, 0]) * size
            square = (u / size).T @ (u / size * weight[:, None]) / weight.sum()
            prior = 100.0 * (2 / np.pi) * (square + 1e-6 * np.eye(4))
            return (
                len(y) * 1.5 * 0
                + 0.5 * away @ prior @ away
                - weight @ np.log(np.where(y == 1, p, 1 - p))
            )

        best = penalised(expert.coef_)

        for step in 1e-3 * np.eye(4) / size:
            assert penalised(expert.coef_ + step) > best
            assert penalised(expert.coef_ - step) > best

    def test_no_volatility_and_absurd_pulls_stay_finite(self):
        X, y, _ = fleet(seed=0)
        expert = ElasticExpert().fit(X, y)

        answer = expert.predict_proba([[0.01, 0.0, 1e9], [-0.01, 1e-12, -1e9]])

        assert np.isfinite(answer).all()
        assert answer[0, 1] > answer[1, 1]


class TestErrors:
    def test_other_columns(self):
        X, y, _ = fleet(seed=0)

        with pytest.raises(ValueError, match=r"X has 2 columns.*elastic_z"):
            ElasticExpert().fit(X[:, :2], y)
