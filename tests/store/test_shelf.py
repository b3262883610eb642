import pytest

from fleet_kedro.store.errors import StoreError
from fleet_kedro.store.shelf import find_model, read_shelf
from fleet_kedro.store.swap import draft_of


class TestShelf:
    def test_models_are_found_by_name_wherever_they_lie(self, repository):
        one = repository.train("btc-lstm", 1)
        (repository.store / "deep").mkdir()
        one.folder.rename(repository.store / "deep" / "any")
        two = repository.train("eth-lstm", 2)
        shelf = read_shelf(repository.store)
        assert {name: found.model for name, found in shelf.models.items()} == {
            "btc-lstm": one.model,
            "eth-lstm": two.model,
        }
        assert shelf.models["btc-lstm"].folder == repository.store / "deep" / "any"

    def test_a_damaged_model_does_not_hide_the_others(self, repository):
        repository.train("btc-lstm")
        broken = repository.train("eth-lstm").folder / "trees.txt"
        broken.write_bytes(broken.read_bytes() + b" ")
        shelf = read_shelf(repository.store)
        assert list(shelf.models) == ["btc-lstm"]
        (told,) = shelf.damaged
        assert "trees.txt" in told

    def test_drafts_are_no_models(self, repository):
        folder = repository.train().folder
        folder.rename(draft_of(folder))
        assert read_shelf(repository.store).models == {}

    def test_a_store_that_is_not_there_is_empty(self, tmp_path):
        assert read_shelf(tmp_path / "nothing").models == {}


class TestErrors:
    def test_two_models_of_one_name_are_refused(self, repository):
        repository.train().folder.rename(repository.store / "copy")
        repository.train()
        with pytest.raises(StoreError, match="both hold a model called btc-lstm"):
            read_shelf(repository.store)

    def test_a_name_that_is_not_there_tells_those_that_are(self, repository):
        repository.train("eth-lstm")
        with pytest.raises(StoreError, match=r"no model called btc-lstm.*: eth-lstm"):
            find_model(repository.store, "btc-lstm")

    def test_a_damaged_model_is_told_where_it_was_asked_for(self, repository):
        folder = repository.train().folder
        (folder / "trees.txt").unlink()
        with pytest.raises(StoreError, match=r"trees\.txt is missing"):
            find_model(repository.store, "btc-lstm")
