"""What is read is what was written; what was not written so is refused."""

import os
import subprocess
import sys
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest
import xgboost as xgb

from fleet_kedro.models.formats import (
    arrays_from_bytes,
    arrays_to_bytes,
    lightgbm_from_bytes,
    lightgbm_to_bytes,
    xgboost_from_bytes,
    xgboost_to_bytes,
)

DAMAGED = Path(__file__).parent / "damaged.py"
READERS = {
    "arrays": arrays_from_bytes,
    "lightgbm": lightgbm_from_bytes,
    "xgboost": xgboost_from_bytes,
}
TOLD = {
    "arrays": "This is no safetensors file: .",
    "lightgbm": "This is no LightGBM model: .",
    "xgboost": "This is no XGBoost model: .",
}
SMALL = {
    "max_depth": 0,
    "max_leaves": 8,
    "grow_policy": "lossguide",
    "base_score": 0.0,
    "nthread": 1,
}
X = np.random.default_rng(0).standard_normal((1000, 10)).astype(np.float32)
Y = X[:, 0] + X[:, 1] * X[:, 2]
ARRAYS = {"weight": X[:20], "share": np.array([0.5, 0.2]), "bar": np.arange(3)}


def xgboost_trees(n_trees: int = 8, **settings: object) -> xgb.Booster:
    return xgb.train(SMALL | settings, xgb.DMatrix(X, Y), n_trees)


def lightgbm_trees() -> lgb.Booster:
    settings = {"num_leaves": 8, "num_threads": 1, "verbosity": -1}
    return lgb.train(settings, lgb.Dataset(X, Y), 8)


CONTENTS = {
    "arrays": arrays_to_bytes(ARRAYS),
    "lightgbm": lightgbm_to_bytes(lightgbm_trees()),
    "xgboost": xgboost_to_bytes(xgboost_trees()),
}


class TestRoundTrip:
    def test_arrays_keep_their_numbers_types_and_shapes(self):
        read = arrays_from_bytes(CONTENTS["arrays"])

        assert read.keys() == ARRAYS.keys()
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(read[name], array, strict=True)

    def test_the_order_of_arrays_leaves_no_trace(self):
        turned = dict(reversed(ARRAYS.items()))
        assert arrays_to_bytes(turned) == CONTENTS["arrays"]

    @pytest.mark.parametrize(
        "settings",
        [
            {},
            {"subsample": 0.5, "colsample_bynode": 0.5},
            {"max_leaves": 2},
            {"min_child_weight": 1e6},
            {"base_score": -0.125},
        ],
    )
    def test_xgboost_trees_forecast_the_same(self, settings):
        booster = xgboost_trees(**settings)

        content = xgboost_to_bytes(booster)
        read = xgboost_from_bytes(content)

        np.testing.assert_array_equal(
            read.inplace_predict(X), booster.inplace_predict(X)
        )
        assert xgboost_to_bytes(read) == content

    @pytest.mark.parametrize("n_trees", [1, 127, 128, 130])
    def test_any_number_of_xgboost_trees_can_be_read(self, n_trees):
        booster = xgboost_trees(n_trees, max_leaves=2)
        read = xgboost_from_bytes(xgboost_to_bytes(booster))
        assert read.num_boosted_rounds() == n_trees

    def test_xgboost_trees_that_stopped_early_are_plain(self):
        booster = xgb.train(
            SMALL,
            xgb.DMatrix(X, Y),
            50,
            evals=[(xgb.DMatrix(X, -Y), "later")],
            early_stopping_rounds=3,
            verbose_eval=False,
        )
        content = xgboost_to_bytes(booster)
        assert xgboost_to_bytes(xgboost_from_bytes(content)) == content

    @pytest.mark.parametrize(
        ("settings", "told"),
        [
            ({"objective": "binary:logistic", "base_score": 0.5}, "squared error"),
            ({"booster": "dart"}, "other members"),
        ],
    )
    def test_xgboost_trees_that_are_not_plain_are_not_written(self, settings, told):
        booster = xgb.train(SMALL | settings, xgb.DMatrix(X, Y > 0), 2)
        with pytest.raises(ValueError, match=told):
            xgboost_to_bytes(booster)


@pytest.mark.parametrize("name", READERS)
class TestErrors:
    @pytest.mark.parametrize(
        "content", [b"", b"\x00", b"{}", b"\x80\x04N.", b"PK\x03\x04", b"\xff" * 100]
    )
    def test_what_is_nothing_of_the_kind_is_refused(self, name, content):
        with pytest.raises(ValueError, match=TOLD[name]):
            READERS[name](content)

    def test_a_file_that_ends_early_is_refused(self, name):
        content = CONTENTS[name]
        for length in range(1, len(content), 1 + len(content) // 60):
            with pytest.raises(ValueError, match=TOLD[name]):
                READERS[name](content[:length])

    def test_a_file_that_goes_on_is_refused(self, name):
        with pytest.raises(ValueError, match=TOLD[name]):
            READERS[name](CONTENTS[name] + b"tree")

    def test_a_file_of_another_format_is_refused(self, name):
        others = {other: text for other, text in CONTENTS.items() if other != name}
        assert len(others) == 2
        for content in others.values():
            with pytest.raises(ValueError, match=TOLD[name]):
                READERS[name](content)

    def test_no_damage_ends_the_process(self, name, tmp_path):
        (tmp_path / "good").write_bytes(CONTENTS[name])

        run = subprocess.run(  # noqa: S603
            [sys.executable, DAMAGED, name, tmp_path, "500"],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

        assert run.returncode == 0, run.stderr[-2000:]
        refused, read = (int(count) for count in run.stdout.split())
        # Some damage only turns one number into another: a checksum must see that.
        assert refused > 250
        assert refused + read > 480


class TestXGBoostDamage:
    @pytest.mark.parametrize(
        ("key", "place", "number", "told"),
        [
            ("left_children", 0, 10_000, "the links are not those of a tree"),
            ("left_children", 1, 0, "the links are not those of a tree"),
            ("right_children", 0, -2, "the links are not those of a tree"),
            ("parents", 1, 5, "another parent"),
            ("split_indices", 0, 10, "a feature that is not there"),
            ("split_indices", 0, -1, "a feature that is not there"),
            ("split_conditions", 0, np.nan, "split_conditions does not hold"),
        ],
    )
    def test_a_node_that_leads_astray_is_named(self, key, place, number, told):
        content = bytearray(CONTENTS["xgboost"])
        # [$<type>#L<count>, then the numbers: the array of the first tree.
        start = content.index(key.encode()) + len(key)
        kind = "f" if content[start + 2 : start + 3] == b"d" else "i"
        values = np.frombuffer(content, f">{kind}4", place + 1, start + 13)
        values[place] = number

        with pytest.raises(ValueError, match=f"in tree 0, .*{told}"):
            xgboost_from_bytes(bytes(content))

    def test_values_that_nest_without_end_are_refused(self):
        with pytest.raises(ValueError, match="nested too deep"):
            xgboost_from_bytes((b"[#L" + (1).to_bytes(8, "big")) * 5000)

    def test_a_length_beyond_the_file_takes_no_memory(self):
        with pytest.raises(ValueError, match="leads out of the file"):
            xgboost_from_bytes(b"[$d#L" + (2**62).to_bytes(8, "big"))
