import numpy as np
from sklearn.metrics import roc_auc_score

from fleet_kedro.models.experts.trend import TrendExpert


def interaction(n_rows: int, seed: int):
    """Neither column says anything alone; together they shift the odds."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_rows, 10)).astype(np.float32)
    odds = 0.8 * np.sign(X[:, 0] * X[:, 1])
    probability = 1 / (1 + np.exp(-odds))
    return X, (rng.random(n_rows) < probability).astype(int), probability


class TestKnownValues:
    def test_an_interaction_is_learnt(self):
        X, y, _ = interaction(20_000, seed=0)
        fresh, outcome, truth = interaction(20_000, seed=1)

        answer = TrendExpert().fit(X, y).predict_proba(fresh)[:, 1]

        best = roc_auc_score(outcome, truth)
        assert roc_auc_score(outcome, answer) > 0.5 + 0.9 * (best - 0.5)

    def test_noise_is_answered_with_little_more_than_the_base_rate(self):
        rng = np.random.default_rng(0)
        X = rng.standard_normal((20_000, 10))
        y = (rng.random(20_000) < 0.44).astype(int)

        answer = TrendExpert().fit(X, y).predict_proba(rng.standard_normal(X.shape))

        assert abs(answer[:, 1].mean() - 0.44) < 0.01
        assert answer[:, 1].std() < 0.03

    def test_no_boost_without_leaves_that_are_heavy_enough(self):
        X, y, _ = interaction(2000, seed=0)
        weight = np.where(y == 1, 2.0, 1.0)

        # Two leaves of 49 % each must hold all but 2 % of every draw: hardly a split.
        expert = TrendExpert(min_leaf_share=0.49, n_trees=3).fit(X, y, weight)
        answer = expert.predict_proba(X)[:, 1]

        share = weight @ y / weight.sum()
        np.testing.assert_allclose(answer, share, atol=0.02)


class TestDeterminism:
    def test_one_and_two_threads_give_the_same_bytes(self):
        X, y, _ = interaction(10_000, seed=0)
        weight = np.random.default_rng(2).uniform(1, 2, len(y))

        answers = [
            TrendExpert(threads=threads, n_trees=20, row_share=1.0)
            .fit(X, y, weight)
            .predict_proba(X)
            .tobytes()
            for threads in (1, 2)
        ]

        assert answers[0] == answers[1]

    def test_the_seed_draws_other_rows(self):
        X, y, _ = interaction(2000, seed=0)

        first, second = (
            TrendExpert(n_trees=5, random_state=seed).fit(X, y).predict_proba(X)
            for seed in (0, 1)
        )

        assert not np.array_equal(first, second)
