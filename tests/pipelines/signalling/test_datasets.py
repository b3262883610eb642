"""What the catalog reads as it is there, and what it writes whole."""

import pandas as pd
import pytest
from kedro.io.core import DatasetError

from fleet_kedro.pipelines.signalling.kept_text import SignalArchive, WholeText
from fleet_kedro.pipelines.signalling.model_store import ServingModels
from fleet_kedro.pipelines.signalling.production_weights import ProductionWeights
from fleet_kedro.store.errors import StoreError


def test_a_text_is_read_as_it_was_written(tmp_path):
    dataset = WholeText(filepath=str(tmp_path / "a/page.html"))

    assert not dataset.exists()
    for text in ("first", "second, \N{LATIN SMALL LETTER E WITH ACUTE}"):
        dataset.save(text)
        assert dataset.load() == text
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["page.html"]


def test_an_archive_gives_all_signals_oldest_first(tmp_path, first_signal):
    archive = SignalArchive(path=str(tmp_path / "signals"))
    later = first_signal.timestamp.replace(hour=5)
    texts = [
        made.model_dump_json()
        for made in (first_signal, first_signal.model_copy(update={"timestamp": later}))
    ]

    assert not archive.exists()
    for text in reversed(texts):
        archive.save(text)
    assert archive.load() == texts
    assert archive.exists()


class TestModels:
    def test_an_empty_store_is_handed_out_and_says_what_it_lacks(self, tmp_path):
        store = ServingModels(path=str(tmp_path / "06_models")).load()

        with pytest.raises(StoreError, match="holds no model called global-brain"):
            store.in_stage("latest")("global-brain")

    def test_models_are_found_by_name(self, stocked):
        store = ServingModels(path=str(stocked / "data/06_models")).load()

        assert store.in_stage("latest")("btc-lstm").card.kind == "lstm"
        assert store.project == stocked

    def test_nothing_is_saved_here(self, tmp_path):
        with pytest.raises(DatasetError, match="is only read here"):
            ServingModels(path=str(tmp_path)).save("a model")


class TestWeights:
    def test_those_of_every_asset(self, stocked):
        dataset = ProductionWeights(path=str(stocked / "data/06_models/forecasters"))
        told = dataset.load()

        assert list(told) == ["BTC"]
        assert told["BTC"]["horizon"].tolist() == [1, 12]
        assert dataset.exists()

    def test_none_where_none_was_trained(self, tmp_path):
        dataset = ProductionWeights(path=str(tmp_path / "forecasters"))

        assert dataset.load() == {}
        assert not dataset.exists()

    def test_a_damaged_table_does_not_hide_another(self, tmp_path, caplog):
        for asset in ("BTC", "ETH"):
            (tmp_path / asset).mkdir()
            table = pd.DataFrame({"horizon": [12]})
            table.to_parquet(tmp_path / asset / "ensemble.parquet")
        (tmp_path / "BTC/ensemble.parquet").write_bytes(b"half of a")
        told = ProductionWeights(path=str(tmp_path)).load()

        assert list(told) == ["ETH"]
        assert "BTC/ensemble.parquet" in caplog.text
