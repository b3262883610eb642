"""What is written can be read back, and nothing else can."""

import json

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file

from fleet_kedro.refine import persistence
from fleet_kedro.refine.tensor_flex import TensorFlexRefiner


@pytest.fixture
def refiner():
    """A refiner fitted on a small frame, so that it knows column names."""
    rng = np.random.default_rng(0)
    columns = pd.DataFrame(rng.standard_normal((400, 6)), columns=list("abcdef"))
    label = columns["a"] + rng.standard_normal(400)
    return TensorFlexRefiner(n_latents=3, max_cluster_size=2).fit(columns, label)


class TestProperties:
    def test_a_refiner_survives_the_round_trip(self, refiner, tmp_path):
        persistence.save(refiner, tmp_path / "refiner.safetensors")
        loaded = persistence.load(tmp_path / "refiner.safetensors")
        rows = pd.DataFrame(np.random.default_rng(1).standard_normal((9, 6)))
        rows.columns = list("abcdef")
        assert loaded.transform(rows).tobytes() == refiner.transform(rows).tobytes()
        assert loaded.get_params() == refiner.get_params()
        pd.testing.assert_frame_equal(loaded.latents_, refiner.latents_)
        names, families = list("abcdef"), list("xxyyzz")
        pd.testing.assert_frame_equal(
            loaded.loadings(names, families), refiner.loadings(names, families)
        )
        assert set(vars(loaded)) == set(vars(refiner))

    def test_the_same_refiner_gives_the_same_bytes(self, refiner, tmp_path):
        for name in ("one", "two"):
            persistence.save(refiner, tmp_path / name)
        assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()

    def test_saving_replaces_the_file_and_leaves_nothing_else(self, refiner, tmp_path):
        path = tmp_path / "refiner.safetensors"
        path.write_bytes(b"an older file")
        persistence.save(refiner, path)
        persistence.load(path)
        assert list(tmp_path.iterdir()) == [path]


class TestErrors:
    def test_any_changed_number_is_refused(self, refiner, tmp_path):
        path = tmp_path / "refiner.safetensors"
        persistence.save(refiner, path)
        content = bytearray(path.read_bytes())
        content[-5] ^= 1
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"refiner\.safetensors does not match"):
            persistence.load(path)

    def test_a_changed_parameter_is_refused(self, refiner, tmp_path):
        path = tmp_path / "refiner.safetensors"
        persistence.save(refiner, path)
        content = path.read_bytes()
        assert b'max_cluster_size\\": 2' in content
        path.write_bytes(
            content.replace(b'max_cluster_size\\": 2', b'max_cluster_size\\": 3')
        )
        with pytest.raises(ValueError, match="does not match its own checksum"):
            persistence.load(path)

    def test_a_file_of_another_kind_is_refused(self, tmp_path):
        path = tmp_path / "text"
        path.write_text("not tensors at all")
        with pytest.raises(ValueError, match="text is not a saved refiner"):
            persistence.load(path)

    @pytest.mark.parametrize(
        "header", [None, "{}", "[]", "not json", json.dumps({"format": "another/1"})]
    )
    def test_tensors_of_another_format_are_refused(self, header, tmp_path):
        path = tmp_path / "other.safetensors"
        metadata = None if header is None else {"header": header}
        save_file({"projection_": np.eye(2)}, path, metadata=metadata)
        assert load_file(path)
        with pytest.raises(
            ValueError, match=r"other\.safetensors is not a saved refiner"
        ):
            persistence.load(path)

    def test_an_unfitted_refiner_is_not_written(self, tmp_path):
        with pytest.raises(ValueError, match="not fitted yet"):
            persistence.save(TensorFlexRefiner(), tmp_path / "refiner")
        assert not list(tmp_path.iterdir())
