import numpy as np
import pytest

from fleet_kedro.models.experts.range import RangeExpert


def states(n_rows: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_rows, 4)) * [1.0, 10.0, 0.1, 3.0] + [0, 5, 0, -2]
    y = (rng.random(n_rows) < 0.3 + 0.4 * (X[:, 0] > 0)).astype(int)
    return X, y, rng.uniform(1.0, 2.0, n_rows)


def literal(reference, y, weight, query, *, k, prior_rows):
    """The definition, one query at a time, in float64."""
    mean = np.average(reference, axis=0, weights=weight)
    deviation = np.sqrt(np.average((reference - mean) ** 2, axis=0, weights=weight))
    known, asked = (reference - mean) / deviation, (query - mean) / deviation
    share = np.average(y, weights=weight)
    answers = []
    for row in asked:
        distance = np.sqrt(((known - row) ** 2).sum(axis=1))
        near = distance <= np.sort(distance)[k - 1]
        positive, total = weight[near] @ y[near], weight[near].sum()
        answers.append((positive + prior_rows * share) / (total + prior_rows))
    return np.array(answers)


class TestAgainstSlowReference:
    @pytest.mark.parametrize("k", [1, 25, 600])
    def test_equals_a_literal_search(self, k):
        X, y, weight = states(600)
        query, _, _ = states(300, seed=1)
        expert = RangeExpert(neighbours=k, prior_rows=10.0).fit(X, y, weight)

        answer = expert.predict_proba(query)[:, 1]

        expected = literal(X, y, weight, query, k=k, prior_rows=10.0)
        np.testing.assert_allclose(answer, expected, rtol=1e-6)


class TestKnownValues:
    def test_three_neighbours_by_hand(self):
        X = np.array([[0.0], [1.0], [2.0], [10.0], [11.0]])
        y = np.array([1, 1, 0, 0, 0])
        weight = np.array([1.0, 2.0, 1.0, 1.0, 1.0])
        expert = RangeExpert(neighbours=3, prior_rows=2.0).fit(X, y, weight)

        answer = expert.predict_proba([[0.9]])[:, 1]

        # Neighbours 0, 1, 2: Σwy = 3, Σw = 4; prior 2 rows at 3/6.
        np.testing.assert_allclose(answer, (3 + 2 * 0.5) / (4 + 2))

    def test_equals_are_all_asked(self):
        X = np.array([[0.0]] * 4 + [[9.0]] * 4)
        y = np.array([1, 0, 1, 1, 0, 0, 0, 0])
        expert = RangeExpert(neighbours=1, prior_rows=0.0).fit(X, y)

        np.testing.assert_allclose(expert.predict_proba(X[:1])[:, 1], 0.75)

    def test_too_few_references_give_the_base_rate(self):
        X, y, weight = states(100)
        expert = RangeExpert(neighbours=400).fit(X, y, weight)

        answer = expert.predict_proba(X)[:, 1]

        np.testing.assert_allclose(answer, weight @ y / weight.sum())


class TestProperties:
    def test_order_of_equals_does_not_matter(self):
        X, y, weight = states(300)
        X = np.repeat(np.round(X[:100], 1), 3, axis=0)
        order = np.random.default_rng(3).permutation(300)

        plain = RangeExpert(neighbours=10).fit(X, y, weight).predict_proba(X)
        mixed = RangeExpert(neighbours=10).fit(X[order], y[order], weight[order])

        np.testing.assert_allclose(mixed.predict_proba(X), plain, rtol=1e-6)

    def test_a_row_is_answered_alike_in_any_company(self):
        X, y, weight = states(3000)
        expert = RangeExpert(neighbours=50).fit(X, y, weight)

        together = expert.predict_proba(X[:300])
        alone = [expert.predict_proba(row[None])[0] for row in X[:300:7]]

        np.testing.assert_array_equal(together[::7], alone)

    def test_references_are_spread_over_all_rows(self):
        X = np.arange(1000.0)[:, None]
        y = (np.arange(1000) >= 500).astype(int)
        expert = RangeExpert(max_reference_rows=30, neighbours=1, prior_rows=0.0)

        answer = expert.fit(X, y).predict_proba(X)[:, 1]

        assert len(expert.reference_) == 30
        steps = np.diff(np.sort(expert.reference_[:, 0]))
        assert steps.max() < 1.1 * steps.min()
        # With one reference every 33 rows, only the rows at the border may err.
        assert np.abs(answer - y).sum() <= 17

    def test_threads_do_not_change_a_byte(self):
        X, y, weight = states(2000)

        one, two = (
            RangeExpert(threads=threads, neighbours=40).fit(X, y, weight)
            for threads in (1, 2)
        )

        assert one.predict_proba(X).tobytes() == two.predict_proba(X).tobytes()
