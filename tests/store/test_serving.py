"""A stage is read from DVC itself, in a scratch repository with a real cache."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fleet_kedro.store.committed import path_md5
from fleet_kedro.store.errors import StoreError
from fleet_kedro.store.registry import ModelRegistry
from fleet_kedro.store.serving import read_serving
from fleet_kedro.store.shelf import OnShelf, find_model

DVC = Path(sys.executable).with_name("dvc")


class DvcRepository:
    """A repository whose one stage copies a model into the store."""

    def __init__(self, repository, out: str) -> None:
        self.repository = repository
        self.folder, self.store = repository.folder, repository.store
        stage = {
            "cmd": "rm -rf data/06_models && cp -r trained data/06_models",
            "deps": ["trained"],
            "outs": [out],
        }
        (self.folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"t": stage}}))
        (self.folder / ".gitignore").write_text("/trained\n/data\n")
        (self.folder / "data").mkdir()
        self.dvc("init", "--quiet")
        self.dvc("config", "core.analytics", "false")

    def dvc(self, *arguments: str) -> None:
        subprocess.run(  # noqa: S603
            [DVC, *arguments],
            cwd=self.folder,
            capture_output=True,
            check=True,
        )

    def repro(self, number: int) -> None:
        """Train and run the stage; commit nothing."""
        found = self.repository.train(number=number)
        trained = self.folder / "trained"
        shutil.rmtree(trained, ignore_errors=True)
        trained.mkdir()
        found.folder.rename(trained / found.folder.name)
        self.dvc("repro")

    def commit(self) -> None:
        self.repository.git("add", "--all")
        self.repository.commit("train")

    @property
    def found(self) -> OnShelf:
        return find_model(self.store, "btc-lstm")


@pytest.fixture(
    params=[
        "data/06_models",
        pytest.param("data/06_models/btc-lstm", marks=pytest.mark.slow),
    ],
    ids=["store", "model"],
)
def tracked(repository, request) -> DvcRepository:
    return DvcRepository(repository, request.param)


class TestTracked:
    def test_a_stage_is_what_was_promoted_whatever_was_trained_since(self, tracked):
        registry = ModelRegistry(tracked.folder)
        tracked.repro(1)
        with pytest.raises(StoreError, match="not what the committed"):
            registry.promote(tracked.found)
        tracked.commit()
        first = tracked.found.model
        assert registry.promote(tracked.found).is_tracked
        tracked.repro(2)
        second = tracked.found.model
        with pytest.raises(StoreError, match=r"Commit the new dvc\.lock"):
            registry.promote(tracked.found)
        tracked.commit()

        def serving(stage: str = "prod"):
            return read_serving(tracked.folder, tracked.store, "btc-lstm", stage)

        assert first != second
        assert serving() == first
        assert serving("latest") == second
        registry.promote(tracked.found)
        assert serving() == second
        registry.rollback("btc-lstm")
        assert serving() == first
        shutil.rmtree(tracked.store)
        assert serving() == first
        shutil.rmtree(tracked.folder / ".dvc/cache")
        with pytest.raises(StoreError, match="cannot be had from DVC"):
            serving()


class TestUntracked:
    def test_a_stage_is_read_while_its_files_lie_there(self, repository):
        registry = ModelRegistry(repository.folder)
        found = repository.train_and_commit(1)
        assert not registry.promote(found).is_tracked
        store = repository.store
        assert read_serving(repository.folder, store, "btc-lstm") == found.model
        repository.train(number=2)
        with pytest.raises(StoreError, match="cannot be had from DVC"):
            read_serving(repository.folder, store, "btc-lstm")

    def test_a_stage_without_a_version_tells_how_to_get_one(self, repository):
        repository.train()
        with pytest.raises(StoreError, match="kedro fleet promote btc-lstm"):
            read_serving(repository.folder, repository.store, "btc-lstm")


class TestHash:
    def test_a_folder_s_is_the_one_that_dvc_writes(self, tmp_path):
        folder = tmp_path / "folder"
        (folder / "b").mkdir(parents=True)
        (folder / "b" / "é.txt").write_bytes(b"1")
        (folder / "a.txt").write_bytes(b"")
        (folder / "b.txt").write_bytes(b"2")
        for arguments in (["init", "--quiet", "--no-scm"], ["add", "folder"]):
            subprocess.run(  # noqa: S603
                [DVC, *arguments], cwd=tmp_path, capture_output=True, check=True
            )
        (out,) = yaml.safe_load((tmp_path / "folder.dvc").read_text())["outs"]
        assert path_md5(folder) == out["md5"]
