"""What a part hands on is all that it needs, and nothing else is taken over."""

import json

import numpy as np
import pytest
from sklearn.base import clone

from fleet_kedro.models.calibration import PlattCalibrator
from fleet_kedro.models.embedding import AssetEmbedding
from fleet_kedro.models.experts import (
    BinaryExpert,
    ElasticExpert,
    PatternExpert,
    RangeExpert,
    StressExpert,
    TrendExpert,
)
from fleet_kedro.models.formats import ARRAYS, arrays_to_bytes
from fleet_kedro.models.gate import GatingNetwork
from fleet_kedro.models.learnt import (
    PLAIN,
    Restorable,
    joined,
    learnt_from_files,
    learnt_to_files,
    parted,
)
from fleet_kedro.models.training import TrainingSettings
from fleet_kedro.models.venn_abers import VennAbers

N_ROWS = 700
EXPERTS = {
    "trend": (TrendExpert(n_trees=20), 9),
    "range": (RangeExpert(neighbours=40, max_reference_rows=300), 7),
    "elastic": (ElasticExpert(), 3),
    "pattern": (PatternExpert(channels=4, training=TrainingSettings(epochs=2)), 11),
    "stress": (StressExpert(), 6),
}
each_expert = pytest.mark.parametrize("name", EXPERTS)


def rows(n_columns: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N_ROWS, n_columns)).astype(np.float32)
    y = X[:, 0] + 0.5 * X[:, 1] + rng.standard_normal(N_ROWS) > 0.2
    return X, y, rng.random(N_ROWS)


def fitted(name: str) -> BinaryExpert:
    expert, n_columns = EXPERTS[name]
    return clone(expert).fit(*rows(n_columns))


def through_files(part: Restorable) -> dict:
    """Return what a part has learnt, as it is read from files."""
    return learnt_from_files(learnt_to_files(part.learnt()))


def same(one: np.ndarray, other: np.ndarray) -> bool:
    return (one.dtype, one.shape) == (other.dtype, other.shape) and (
        one.tobytes() == other.tobytes()
    )


def judged() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Physics, codes, forecasts of two experts, and what came true."""
    rng = np.random.default_rng(3)
    physics = rng.standard_normal((N_ROWS, 6))
    code = np.eye(3)[rng.integers(3, size=N_ROWS)]
    said = rng.uniform(0.2, 0.8, (N_ROWS, 2))
    return physics, code, said, rng.random(N_ROWS) < said[:, 0]


class TestExperts:
    @each_expert
    def test_a_restored_expert_says_the_same_to_the_last_bit(self, name):
        expert = fitted(name)
        restored = clone(expert).restore(through_files(expert))
        X, _, _ = rows(EXPERTS[name][1], seed=1)

        said = expert.predict_proba(X)
        assert said[:, 1].std() > 0.001
        assert same(restored.predict_proba(X), said)
        assert same(restored.predict(X), expert.predict(X))

    @each_expert
    def test_it_hands_on_the_same_bytes_again(self, name):
        expert = fitted(name)
        restored = clone(expert).restore(through_files(expert))

        assert learnt_to_files(restored.learnt()) == learnt_to_files(expert.learnt())

    @each_expert
    def test_one_that_has_seen_one_class_only(self, name):
        expert, n_columns = EXPERTS[name]
        X, _, weight = rows(n_columns)
        expert = clone(expert).fit(X, np.ones(N_ROWS, dtype=np.bool_), weight)
        restored = clone(expert).restore(through_files(expert))

        assert same(restored.predict_proba(X), expert.predict_proba(X))

    @each_expert
    def test_what_another_expert_has_learnt_is_refused(self, name):
        other = "elastic" if name == "stress" else "stress"

        with pytest.raises(ValueError, match="files of one model"):
            clone(EXPERTS[name][0]).restore(fitted(other).learnt())

    @each_expert
    def test_an_unfitted_expert_hands_on_nothing(self, name):
        with pytest.raises(ValueError, match="not fitted"):
            clone(EXPERTS[name][0]).learnt()

    def test_other_classes_are_not_handed_on(self):
        X, y, _ = rows(6)

        with pytest.raises(ValueError, match="False and True"):
            StressExpert().fit(X, np.where(y, "up", "down")).learnt()

    def test_weights_of_a_wider_network_are_refused(self):
        learnt = fitted("pattern").learnt()

        with pytest.raises(ValueError, match="weights, but here are"):
            PatternExpert(channels=5).restore(learnt)

    def test_trees_of_other_columns_are_refused(self):
        learnt = fitted("trend").learnt() | {"n_features_in_": 8}

        with pytest.raises(ValueError, match="read 9 columns and their expert 8"):
            TrendExpert().restore(learnt)


class TestJudges:
    def test_a_gate(self):
        physics, code, said, outcome = judged()
        gate = GatingNetwork(flags=(5,)).fit(physics, code, said, outcome)
        restored = GatingNetwork(flags=(5,)).restore(through_files(gate))

        weights = gate.weights(physics, code)
        assert weights[:, 0].std() > 0.001
        assert same(restored.weights(physics, code), weights)

    def test_a_calibrator(self):
        _, _, said, outcome = judged()
        judge = PlattCalibrator().fit(said[:, 0], outcome)
        restored = PlattCalibrator().restore(through_files(judge))

        assert same(restored.predict(said[:, 1]), judge.predict(said[:, 1]))

    def test_an_interval(self):
        _, _, said, outcome = judged()
        judge = VennAbers(effective_share=0.1).fit(said[:, 0], outcome)
        restored = VennAbers(effective_share=0.1).restore(through_files(judge))

        pairs = zip(
            restored.interval(said[:, 1]), judge.interval(said[:, 1]), strict=True
        )
        assert [same(*ends) for ends in pairs] == [True, True]

    def test_an_interval_where_many_forecasts_decide_nothing(self):
        """Asked at, between and beyond the forecasts of the record."""
        rng = np.random.default_rng(5)
        said = np.round(rng.random(5000), 3)
        judge = VennAbers(effective_share=1 / 12).fit(said, rng.random(5000) < 0.5)
        learnt = judge.learnt()
        restored = VennAbers(effective_share=1 / 12).restore(learnt)
        asked = np.concatenate([said, said + 2e-4, rng.random(5000), [0.0, 1.0]])
        asked = np.append(asked.clip(0, 1), np.nan)

        assert len(learnt["score_"]) < len(judge.score_) / 3
        for found, expected in zip(
            restored.interval(asked), judge.interval(asked), strict=True
        ):
            np.testing.assert_array_equal(found, expected)
        assert learnt_to_files(restored.learnt()) == learnt_to_files(learnt)

    @pytest.mark.parametrize("kind", ["off", "one_hot", "learned"])
    def test_an_embedding(self, kind):
        X, y, weight = rows(5)
        asset = np.array(["BTC", "ETH", "SOL"], dtype=object)[np.arange(N_ROWS) % 3]
        embedding = AssetEmbedding(kind=kind).fit(X, y, asset, weight)
        restored = AssetEmbedding(kind=kind).restore(through_files(embedding))

        asked = np.array(["SOL", "DOGE", "BTC", "ZEC"], dtype=object)
        assert same(restored.code(asked), embedding.code(asked))
        assert restored.width_ == embedding.width_


class TestParts:
    def test_parts_come_apart_as_they_were_joined(self):
        parts = {"a": {"x": 1, "b.y": 2}, "ab": {"x": 3}, "none": {}}

        assert joined(parts) == {"a.x": 1, "a.b.y": 2, "ab.x": 3}
        assert parted(joined(parts), parts) == parts

    def test_a_value_of_no_part_is_refused(self):
        with pytest.raises(ValueError, match=r"'c\.x'"):
            parted({"a.x": 1, "c.x": 2}, ["a"])


class TestErrors:
    @pytest.fixture
    def learnt(self):
        physics, code, said, outcome = judged()
        return GatingNetwork().fit(physics, code, said, outcome).learnt()

    def test_a_missing_value(self, learnt):
        del learnt["bias_"]
        with pytest.raises(ValueError, match="GatingNetwork has learnt"):
            GatingNetwork().restore(learnt)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("bias_", np.zeros(2, dtype=np.float32)),
            ("bias_", np.zeros((2, 1))),
            ("bias_", np.zeros(3)),
            ("scale_", np.zeros(5)),
            ("mean_", [0.0] * 6),
        ],
    )
    def test_a_value_of_another_kind_or_length(self, learnt, name, value):
        with pytest.raises(ValueError, match="GatingNetwork is not what it should be"):
            GatingNetwork().restore(learnt | {name: value})

    def test_a_number_that_is_none(self, learnt):
        learnt["mean_"] = np.full(6, np.nan)
        with pytest.raises(ValueError, match="mean_ of GatingNetwork holds NaN"):
            GatingNetwork().restore(learnt)

    def test_names_out_of_order(self):
        learnt = {"assets_": ["ETH", "BTC"], "codes_": np.eye(2)}
        with pytest.raises(ValueError, match="are not the names of 2 assets"):
            AssetEmbedding().restore(learnt)

    @pytest.mark.parametrize(
        ("plain", "said"),
        [
            (b"not json", "is no JSON"),
            (b"[1, 2]", "is no mapping"),
            (b"\xff\xfe", "is no JSON"),
            (b"[" * 200_000, "is no JSON"),
        ],
    )
    def test_values_that_are_no_json(self, plain, said):
        files = {ARRAYS: arrays_to_bytes({}), PLAIN: plain}
        with pytest.raises(ValueError, match=f"{PLAIN} {said}"):
            learnt_from_files(files)

    @pytest.mark.parametrize(
        "files",
        [
            {PLAIN: b"{}"},
            {ARRAYS: arrays_to_bytes({})},
            {ARRAYS: arrays_to_bytes({}), PLAIN: b"{}", "model.pkl": b""},
        ],
    )
    def test_files_that_are_missing_or_foreign(self, files):
        with pytest.raises(ValueError, match="files of one model"):
            learnt_from_files(files)

    def test_a_number_without_a_word_in_json(self):
        with pytest.raises(ValueError, match="not JSON compliant"):
            learnt_to_files({"slope_": float("inf")})


class TestKnownValues:
    def test_arrays_trees_and_numbers_go_into_files_of_their_own(self):
        files = learnt_to_files(
            {"numbers": np.arange(3), "trees": b"tree\n", "slope_": 0.1, "is_": True}
        )

        assert sorted(files) == [ARRAYS, PLAIN, "trees.txt"]
        assert json.loads(files[PLAIN]) == {"slope_": 0.1, "is_": True}
        assert files["trees.txt"] == b"tree\n"
