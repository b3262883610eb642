"""Trained models, damaged in every way: told by name, and never run or crashed on."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fleet_kedro.store.bundle import read_bundle
from fleet_kedro.store.errors import StoreError
from fleet_kedro.store.shelf import read_shelf

pytestmark = pytest.mark.slow

STORE = "data/06_models"
SCRIPT = Path(__file__).with_name("damaged_store.py")
TIMES = 10


class Bomb:
    """Leaves a file behind if it is ever unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self):
        return (Path.touch, (self._path,))


def flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.fixture
def store(make_copy) -> Path:
    return make_copy().folder / STORE


class TestDamage:
    @pytest.mark.parametrize(
        "damage", [flip, lambda content: content[:-1], lambda content: content + b"\n"]
    )
    def test_every_file_of_every_model_is_told_with_the_remedy(
        self, store, damage: Callable[[bytes], bytes]
    ):
        models = read_shelf(store).models
        assert len(models) >= 7
        for found in models.values():
            for file in sorted(found.folder.iterdir()):
                good = file.read_bytes()
                file.chmod(0o644)
                file.write_bytes(damage(good))
                with pytest.raises(StoreError) as caught:
                    read_bundle(found.folder)
                file.write_bytes(good)
                # A name that was changed in the sums is told as a missing file.
                assert file.name in str(caught.value) or file.name == "checksums.json"
                assert "dvc checkout" in str(caught.value)
            assert read_bundle(found.folder) == found.model

    def test_files_of_two_models_that_were_swapped_are_told(self, store):
        models = read_shelf(store).models
        one, other = models["btc-lstm"].folder, models["btc-transformer"].folder
        for name in {p.name for p in one.iterdir()} & {p.name for p in other.iterdir()}:
            good = (one / name).read_bytes()
            (one / name).unlink()
            (one / name).write_bytes((other / name).read_bytes())
            with pytest.raises(StoreError, match=r"[a-z]+\.(json|md|safetensors)"):
                read_bundle(one)
            (one / name).write_bytes(good)
        assert read_bundle(one) == models["btc-lstm"].model

    def test_a_foreign_file_is_told_and_not_run(self, store, tmp_path):
        marker = tmp_path / "exploded"
        found = read_shelf(store).models["btc-lstm"]
        for name in ("model.pkl", "arrays.safetensors"):
            file = found.folder / name
            file.unlink(missing_ok=True)
            file.write_bytes(pickle.dumps(Bomb(marker)))
            with pytest.raises(StoreError, match=name):
                read_bundle(found.folder)
            file.unlink()
        assert not marker.exists()


def test_no_reader_of_a_model_dies_of_a_damaged_file(finished):
    done = subprocess.run(  # noqa: S603
        [sys.executable, SCRIPT, finished.project.folder / STORE, str(TIMES)],
        env=os.environ | {"PYTHONPATH": str(SCRIPT.parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert len({name for name, *_ in rows}) >= 7
    assert all(int(refused) + int(read) == TIMES for _, _, refused, read in rows)
    assert sum(int(refused) for _, _, refused, _ in rows) > TIMES * len(rows) / 3
