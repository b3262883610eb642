"""A version is found where the store is today, not where it was on that day."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fleet_kedro.store.errors import StoreError
from fleet_kedro.store.registry import ModelRegistry
from fleet_kedro.store.serving import read_serving

DVC = Path(sys.executable).with_name("dvc")


@pytest.mark.slow
def test_a_store_that_moved_is_read_from_its_new_place(repository, tmp_path):
    def dvc(*arguments: str) -> None:
        subprocess.run(  # noqa: S603
            [DVC, *arguments], cwd=repository.folder, capture_output=True, check=True
        )

    dvc("init", "--quiet")
    dvc("remote", "add", "--default", "store", str(tmp_path / "old"))
    found = repository.train()
    dvc("add", str(found.folder.relative_to(repository.folder)))
    repository.git("add", "--all")
    repository.commit("train")
    ModelRegistry(repository.folder).promote(found)
    dvc("push")
    shutil.rmtree(repository.folder / ".dvc/cache")
    shutil.rmtree(repository.store)
    (tmp_path / "old").rename(tmp_path / "new")

    def serving():
        return read_serving(repository.folder, repository.store, "btc-lstm")

    with pytest.raises(StoreError, match="cannot be had from DVC"):
        serving()
    dvc("remote", "modify", "store", "url", str(tmp_path / "new"))
    assert serving() == found.model
