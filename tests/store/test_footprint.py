"""What a store and its history take in DVC's cache, written as DVC writes it."""

import hashlib
import json
from pathlib import Path

import pytest

from fleet_kedro.store.errors import StoreError
from fleet_kedro.store.footprint import bytes_with_history


def keep(cache: Path, content: bytes, suffix: str = "") -> str:
    """Put a content into the cache and return the hash that DVC knows it by."""
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest() + suffix
    place = cache / md5[:2] / md5[2:]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return md5


@pytest.fixture
def cache(repository) -> Path:
    return repository.folder / ".dvc/cache/files/md5"


@pytest.fixture
def lock(repository, cache):
    """Return a function that commits a lock of one folder; gives its list's size."""

    def write(path: str, files: dict[str, bytes]) -> int:
        listed = [
            {"md5": keep(cache, content), "relpath": name}
            for name, content in files.items()
        ]
        written = json.dumps(listed).encode()
        md5 = keep(cache, written, ".dir")
        (repository.folder / "dvc.lock").write_text(
            "stages:\n  train:\n    outs:\n"
            f"    - path: {path}\n      hash: md5\n      md5: {md5}\n"
        )
        repository.git("add", "dvc.lock")
        repository.commit(f"lock {path}")
        return len(written)

    return write


def measured(repository) -> int:
    return bytes_with_history(repository.folder, repository.store)


class TestKnownValues:
    def test_without_dvc_there_is_nothing(self, repository):
        assert measured(repository) == 0

    def test_each_content_counts_once_over_all_commits(self, repository, lock):
        lists = lock("data/06_models/a", {"trees.txt": b"x" * 100, "card": b"y" * 10})
        lists += lock("data/06_models/a", {"trees.txt": b"z" * 70, "card": b"y" * 10})
        assert measured(repository) == 100 + 70 + 10 + lists

    def test_a_lock_that_is_not_committed_counts(self, repository, lock, cache):
        lists = lock("data/06_models/a", {"trees.txt": b"x" * 100})
        (repository.folder / "dvc.lock").write_text(
            "stages:\n  train:\n    outs:\n    - path: data/06_models/b.txt\n"
            f"      md5: {keep(cache, b'w' * 7)}\n"
        )
        assert measured(repository) == 100 + lists + 7

    def test_of_a_folder_above_the_store_only_its_part_counts(self, repository, lock):
        lists = lock("data", {"06_models/a": b"x" * 100, "01_raw/b": b"r" * 999})
        assert measured(repository) == 100 + lists

    def test_other_outs_do_not_count(self, repository, lock):
        lock("data/01_raw", {"b": b"r" * 999})
        assert measured(repository) == 0

    def test_what_is_not_in_the_cache_takes_no_room(self, repository, lock, cache):
        lists = lock("data/06_models/a", {"trees.txt": b"x" * 100, "card": b"y" * 10})
        md5 = hashlib.md5(b"x" * 100, usedforsecurity=False).hexdigest()
        (cache / md5[:2] / md5[2:]).unlink()
        assert measured(repository) == 10 + lists


class TestErrors:
    def test_a_store_elsewhere_is_told(self, repository, tmp_path):
        with pytest.raises(StoreError, match="lies outside"):
            bytes_with_history(repository.folder, tmp_path)
