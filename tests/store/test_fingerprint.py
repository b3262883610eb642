import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from fleet_kedro.market.gaps import GapPolicy
from fleet_kedro.store.fingerprint import array_hash, fingerprint

X = {"x": np.arange(6.0).reshape(2, 3)}
PACKAGE = "fleet_kedro.splits"


class TestKnownValues:
    def test_equal_parts_give_equal_fingerprints(self):
        again = {"x": np.asfortranarray(X["x"].copy())}
        assert fingerprint(X, {"a": 1, "b": 2}) == fingerprint(again, {"b": 2, "a": 1})

    def test_it_is_a_sha256_of_parts_with_their_lengths(self):
        content = np.array([1, 2], dtype="<i8").tobytes()
        head = b'["[\\"array\\",\\"x\\",\\"<i8\\",[2]]",16]\n'
        expected = hashlib.sha256(head + content).hexdigest()
        assert array_hash({"x": np.array([1, 2])}) == expected

    @pytest.mark.parametrize(
        "other",
        [
            {"y": X["x"]},
            {"x": X["x"].reshape(3, 2)},
            {"x": X["x"].astype(np.float32)},
            {"x": X["x"].view(np.int64)},
            {"x": X["x"].T},
            {"x": np.nextafter(X["x"], 9)},
            X | {"y": np.empty(0)},
            {},
        ],
    )
    def test_other_arrays_give_another_one(self, other):
        assert fingerprint(other, {}) != fingerprint(X, {})
        assert array_hash(other) != array_hash(X)

    def test_settings_matter_as_a_block_or_as_json(self):
        block = GapPolicy()
        assert fingerprint(X, block) == fingerprint(X, block.model_dump(mode="json"))
        assert fingerprint(X, {"a": 1}) != fingerprint(X, {"a": 2})
        assert fingerprint(X, {"a": 1}) != fingerprint(X, {"a": 1.0})

    def test_times_and_texts_are_hashed_too(self):
        hours = np.arange(3).astype("datetime64[us]")
        assert array_hash({"x": hours}) != array_hash({"x": hours.astype(np.int64)})
        assert array_hash({"x": np.array(["a"])}) != array_hash({"x": np.array(["b"])})


class TestModules:
    @pytest.fixture
    def package(self, tmp_path, monkeypatch):
        folder = tmp_path / f"learner_{tmp_path.name}"  # imported once, never again
        folder.mkdir()
        (folder / "__init__.py").write_text('"""Learn."""\n')
        (folder / "loss.py").write_text("POWER = 2\n")
        monkeypatch.syspath_prepend(tmp_path)
        return folder

    def test_a_changed_module_gives_another_one(self, package):
        name = f"{package.name}.loss"
        before = fingerprint({}, {}, [name])
        assert fingerprint({}, {}, [name]) == before
        (package / "loss.py").write_text("POWER = 3\n")
        assert fingerprint({}, {}, [name]) != before

    def test_a_package_stands_for_all_of_its_modules(self, package):
        before = fingerprint({}, {}, [package.name])
        (package / "loss.py").write_text("POWER = 3\n")
        changed = fingerprint({}, {}, [package.name])
        (package / "loss.py").rename(package / "power.py")
        assert len({before, changed, fingerprint({}, {}, [package.name])}) == 3

    def test_line_ends_and_the_order_of_names_do_not_matter(self, package):
        before = fingerprint({}, {}, [package.name, PACKAGE])
        (package / "loss.py").write_bytes(b"POWER = 2\r\n")
        assert fingerprint({}, {}, [PACKAGE, package.name]) == before

    def test_a_module_is_not_run(self, package):
        (package / "loss.py").write_text("raise SystemExit\n")
        assert fingerprint({}, {}, [f"{package.name}.loss"])

    @pytest.mark.parametrize("name", ["no.such.module", "nothing_here", "itertools"])
    def test_a_module_without_source_is_refused(self, name):
        with pytest.raises(ValueError, match=name):
            fingerprint({}, {}, [name])


class TestProperties:
    @given(
        array=npst.arrays(
            st.sampled_from(["f8", "f4", "i8", "?", "M8[us]"]),
            npst.array_shapes(min_dims=0, max_dims=3, min_side=0),
        )
    )
    def test_how_an_array_lies_in_memory_does_not_matter(self, array):
        spread = np.zeros((*array.shape, 2), dtype=array.dtype)
        spread[..., 0] = array
        assert array_hash({"x": spread[..., 0]}) == array_hash({"x": array})

    def test_another_process_finds_the_same(self):
        code = (
            "import numpy as np; from fleet_kedro.store.fingerprint import fingerprint;"
            f"x = {{'x': np.arange(6.0).reshape(2, 3)}};"
            f"print(fingerprint(x, {{'b': [1], 'a': None}}, ['{PACKAGE}']))"
        )
        told = subprocess.run(  # noqa: S603
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": "4242"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        assert told == fingerprint(X, {"a": None, "b": [1]}, [PACKAGE])

    def test_objects_are_refused(self):
        with pytest.raises(TypeError, match="'x' holds Python objects"):
            array_hash({"x": np.array([object()])})
