"""What the catalog reads as it is there, and what it writes whole."""

import pytest
from kedro.io.core import DatasetError

from fleet_kedro.pipelines.signalling.kept_text import SignalArchive, WholeText
from fleet_kedro.pipelines.signalling.model_store import ServingModels
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
