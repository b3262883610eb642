"""A model in the catalog, as a run saves and loads it."""

import inspect
import logging
import pickle
from pathlib import Path

import numpy as np
import pytest
from kedro.io import DataCatalog
from kedro.io.core import DatasetError

from fleet_kedro.models.formats import ARRAYS, arrays_to_bytes
from fleet_kedro.pipelines.model_bundle import ModelBundle
from fleet_kedro.store.bundle import StoredModel
from fleet_kedro.store.card import DataUsed, ModelCard

CLASS = "fleet_kedro.pipelines.model_bundle.ModelBundle"


@pytest.fixture
def model() -> StoredModel:
    files = {ARRAYS: arrays_to_bytes({"weights": np.arange(3.0)})}
    card = ModelCard(
        name="btc-lstm",
        kind="lstm",
        assets=("BTC",),
        libraries={"python": "3.11"},
        parameters={"width": 3},
        data=DataUsed(
            source="embedded market",
            start="2022-01-01",
            end="2022-12-31",
            rows=9,
            sha256="0" * 64,
        ),
        folds=0,
        n_parameters=3,
    )
    return StoredModel(card.naming(files), files)


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "06_models" / "btc" / "lstm"


@pytest.fixture
def catalog(folder) -> DataCatalog:
    return DataCatalog.from_config(
        {
            "model": {"type": CLASS, "filepath": str(folder)},
            "earlier": {
                "type": CLASS,
                "filepath": str(folder),
                "missing_is_none": True,
            },
        }
    )


class TestRoundTrip:
    def test_what_is_saved_is_loaded(self, catalog, model):
        assert not catalog.exists("model")
        catalog.save("model", model)
        assert catalog.exists("model")
        assert catalog.load("model") == model
        assert catalog.load("earlier") == model

    def test_saving_again_changes_no_byte(self, catalog, folder, model):
        catalog.save("model", model)
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        catalog.save("model", catalog.load("model"))
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before

    def test_it_goes_to_other_processes(self, folder, model):
        pickle.loads(pickle.dumps(ModelBundle(filepath=str(folder)))).save(model)  # noqa: S301
        assert ModelBundle(filepath=str(folder)).load() == model


class TestPreview:
    def test_it_is_the_card_and_marked_as_json(self, folder, model):
        bundle = ModelBundle(filepath=str(folder))
        bundle.save(model)
        assert bundle.preview() == model.card.to_json().decode()
        # Kedro-Viz tells by this name how to show it.
        kind = inspect.signature(bundle.preview).return_annotation
        assert kind.__name__ == "JSONPreview"


class TestMissing:
    def test_a_missing_model_is_an_error_with_a_remedy(self, catalog):
        with pytest.raises(DatasetError, match="dvc pull"):
            catalog.load("model")

    def test_an_earlier_one_that_is_missing_is_none(self, catalog):
        assert catalog.load("earlier") is None


class TestDamage:
    @pytest.fixture(autouse=True)
    def damaged(self, catalog, folder, model) -> None:
        catalog.save("model", model)
        (folder / ARRAYS).write_bytes(b"changed")

    def test_it_is_told_with_file_and_remedy(self, catalog):
        with pytest.raises(DatasetError, match=rf"{ARRAYS} has .* `dvc checkout`"):
            catalog.load("model")

    def test_an_earlier_one_is_not_taken_over_and_that_is_logged(
        self, catalog, model, caplog
    ):
        with caplog.at_level(logging.WARNING):
            assert catalog.load("earlier") is None
        assert ARRAYS in caplog.text
        catalog.save("model", model)
        assert catalog.load("earlier") == model


class TestErrors:
    def test_a_file_that_could_run_code_is_not_saved(self, catalog, model):
        with pytest.raises(DatasetError, match="can run code"):
            catalog.save("model", model._replace(files={"model.pkl": b""}))
        assert not catalog.exists("model")
