"""What all six experts promise, whatever they believe about markets."""

import inspect

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from fleet_kedro.models.experts import (
    EXPERT_COLUMNS,
    BinaryExpert,
    ElasticExpert,
    ExpertsSettings,
    PatternExpert,
    RangeExpert,
    StressExpert,
    TrendExpert,
    build_experts,
)
from fleet_kedro.models.training import TrainingSettings

QUICK = TrainingSettings(epochs=2, batch_size=256)
EXPERTS = {
    "trend": TrendExpert(n_trees=20),
    "range": RangeExpert(neighbours=30, max_reference_rows=700),
    "elastic": ElasticExpert(),
    "pattern": PatternExpert(channels=4, purge_rows=50, training=QUICK),
    "stress": StressExpert(),
}
N_COLUMNS = {"trend": 8, "range": 6, "elastic": 3, "pattern": 16, "stress": 8}

each_expert = pytest.mark.parametrize("name", list(EXPERTS))


class ElasticOnAnyWidth(ElasticExpert):
    """The checks bring tables of any width; this repeats or drops columns to three."""

    def _learn(self, X, y, weight):
        super()._learn(_three_columns(X), y, weight)

    def _probability(self, X):
        return super()._probability(_three_columns(X))


def _three_columns(X):
    return X[:, np.arange(3) % X.shape[1]]


def _exceptions(expert: BinaryExpert) -> dict[str, str]:
    wrong_types = "check_do_not_raise_errors_in_init_or_set_params"
    expected = {wrong_types: "the run-time type checker of the tests raises at once"}
    weights = "check_sample_weight_equivalence_on_dense_data"
    why = {
        TrendExpert: "bins and draws count rows, so a weight of two is not two rows",
        RangeExpert: "k counts references, so a weight of two is not two neighbours",
    }
    if type(expert) in why:
        expected[weights] = why[type(expert)]
    return expected


@parametrize_with_checks(
    [
        TrendExpert(n_trees=5, threads=1),
        RangeExpert(neighbours=5, threads=1),
        ElasticOnAnyWidth(),
        # With rows held out, which are counted, a weight of two would not be two rows.
        PatternExpert(
            channels=2,
            validation_fraction=0.0,
            training=TrainingSettings(epochs=1, threads=1),
        ),
        StressExpert(),
    ],
    expected_failed_checks=_exceptions,
)
def test_scikit_learn_accepts_the_expert(estimator, check):
    check(estimator)


def market(name: str, n_rows: int = 1000, seed: int = 0):
    """Random rows, in which the first column bears weakly on the label."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_rows, N_COLUMNS[name]))
    if name == "elastic":
        X[:, 1] = rng.uniform(0.01, 0.05, n_rows)
        X[:, 2] = X[:, 0] / X[:, 1]
    y = (rng.random(n_rows) < 1 / (1 + np.exp(-X[:, 0]))).astype(int)
    return X, y, rng.uniform(1.0, 2.0, n_rows)


@each_expert
class TestProperties:
    def test_rows_of_zero_weight_have_no_influence(self, name):
        X, y, weight = market(name)
        rng = np.random.default_rng(1)
        silent = rng.random(len(y)) < 0.3
        weight[silent] = 0.0
        garbage = np.where(silent[:, None], 1e3 * rng.standard_normal(X.shape), X)
        flipped = np.where(silent, 1 - y, y)

        among = EXPERTS[name].fit(garbage, flipped, weight).predict_proba(X)
        alone = EXPERTS[name].fit(X[~silent], y[~silent], weight[~silent])

        assert among.tobytes() == alone.predict_proba(X).tobytes()
        assert among[:, 1].std() > 0.0

    def test_the_callers_threads_do_not_change_a_byte(self, name):
        X, y, weight = market(name, n_rows=4000)
        before = torch.get_num_threads()
        answers = []
        try:
            for threads in (1, 2):
                torch.set_num_threads(threads)
                with threadpool_limits(limits=threads):
                    fitted = EXPERTS[name].fit(X, y, weight)
                    answers.append(fitted.predict_proba(X).tobytes())
        finally:
            torch.set_num_threads(before)

        assert answers[0] == answers[1]

    def test_float32_columns_give_almost_the_same_answer(self, name):
        X, y, weight = market(name)
        wide = EXPERTS[name].fit(X, y, weight).predict_proba(X)
        narrow = X.astype(np.float32)

        answer = EXPERTS[name].fit(narrow, y, weight).predict_proba(narrow)

        np.testing.assert_allclose(answer, wide, atol=0.02)

    @pytest.mark.parametrize("label", [0, 1])
    def test_one_class_gives_its_smoothed_share(self, name, label):
        X, y, _ = market(name, n_rows=18)

        answer = EXPERTS[name].fit(X, np.full_like(y, label)).predict_proba(X)

        # Laplace: (18 + 1) / (18 + 2), whatever the row.
        np.testing.assert_allclose(answer[:, label], 0.95)
        np.testing.assert_allclose(answer.sum(axis=1), 1.0)

    def test_one_class_left_by_the_weights_gives_its_smoothed_share(self, name):
        X, y, _ = market(name)

        answer = EXPERTS[name].fit(X, y, np.where(y == 1, 2.0, 0.0)).predict_proba(X)

        total = 2.0 * y.sum()
        np.testing.assert_allclose(answer[:, 1], (total + 1.0) / (total + 2.0))


@each_expert
class TestErrors:
    def test_no_row_that_counts(self, name):
        X, y, _ = market(name)

        with pytest.raises(ValueError, match="weights"):
            EXPERTS[name].fit(X, y, np.zeros(len(y)))

    def test_negative_weight(self, name):
        X, y, weight = market(name)
        weight[3] = -1.0

        with pytest.raises(ValueError, match=r"[Nn]egative"):
            EXPERTS[name].fit(X, y, weight)

    def test_one_class_without_a_name_for_the_other(self, name):
        X, y, _ = market(name)

        with pytest.raises(ValueError, match="one class, 7"):
            EXPERTS[name].fit(X, np.full_like(y, 7))

    def test_three_classes(self, name):
        X, y, _ = market(name)

        with pytest.raises(ValueError, match="Only binary classification"):
            EXPERTS[name].fit(X, np.arange(len(y)) % 3)


class TestParameters:
    @pytest.mark.parametrize(
        ("expert", "parameter"),
        [
            (TrendExpert(n_trees=0), "n_trees"),
            (RangeExpert(neighbours=0), "neighbours"),
            (ElasticExpert(prior_rows=0.0), "prior_rows"),
            (PatternExpert(validation_fraction=0.5), "validation_fraction"),
            (StressExpert(penalty=-1.0), "penalty"),
        ],
    )
    def test_a_value_out_of_range_is_named_by_fit(self, expert, parameter):
        X, y, _ = market("elastic")

        with pytest.raises(ValidationError, match=parameter):
            expert.fit(X, y)

    def test_constructors_and_settings_have_the_same_defaults(self):
        built = build_experts(ExpertsSettings(), seed=0)

        assert list(built) == [
            *("trend", "range", "elastic", "pattern", "surface", "stress")
        ]
        for expert in built.values():
            default = type(expert)(**_training_of(expert))
            assert expert.get_params() == default.get_params()
            assert set(expert.get_params()) == set(expert.settings_type.model_fields)

    def test_settings_reach_the_experts_and_the_seed_its_users(self):
        settings = ExpertsSettings.model_validate(
            {
                "trend": {"n_trees": 7},
                "range": {"neighbours": 9},
                "elastic": {"cost": 0.004},
                "pattern": {"channels": 3, "training": {"epochs": 1}},
                "stress": {"penalty": 0.5},
            }
        )

        built = build_experts(settings, seed=11)

        assert built["trend"].n_trees == 7
        assert built["range"].neighbours == 9
        assert built["elastic"].cost == 0.004
        assert built["pattern"].channels == 3
        assert built["pattern"].training == TrainingSettings(epochs=1, seed=11)
        assert built["stress"].penalty == 0.5
        assert built["trend"].random_state == 11

    def test_every_expert_has_columns_and_keyword_only_parameters(self):
        built = build_experts(ExpertsSettings(), seed=0)

        assert list(EXPERT_COLUMNS) == list(built)
        for expert in built.values():
            parameters = inspect.signature(type(expert)).parameters.values()
            assert {p.kind for p in parameters} == {inspect.Parameter.KEYWORD_ONLY}


def _training_of(expert):
    return {"training": expert.training} if hasattr(expert, "training") else {}
