"""Models that DVC tracks by a ``.dvc`` file of their own, not as a stage's output."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_kedro.store.errors import StoreError
from fleet_kedro.store.registry import ModelRegistry
from fleet_kedro.store.serving import read_serving
from fleet_kedro.store.tracked import tracked_about

DVC = Path(sys.executable).with_name("dvc")
ADDED = """
outs:
- md5: 11112222333344445555666677778888.dir
  size: 12
  nfiles: 2
  hash: md5
  path: brain
"""
LOCKED = """
schema: '2.0'
stages:
  train:
    cmd: python train.py
    outs:
    - path: data/06_models/brain
      md5: 99992222333344445555666677778888.dir
    - path: data/08_reporting/page.html
      md5: 77772222333344445555666677778888
"""
BRAIN = PurePosixPath("data/06_models/brain")


def about(place: str, **files: str) -> dict[PurePosixPath, str]:
    """Return what is told of a place by files, whose names end in _dvc or _lock."""
    named = {
        {"lock": "dvc.lock", "brain": f"{BRAIN}.dvc", "store": "data/06_models.dvc"}[
            name
        ]: text
        for name, text in files.items()
    }

    def read(name: str) -> bytes | None:
        return named[name].encode() if name in named else None

    told = tracked_about(Path(place), read)
    return {path: f"{each.told_by}: {each.md5[:4]}" for path, each in told.items()}


class TestKnownValues:
    def test_a_stage_s_output_is_told_by_the_lock(self):
        expected = {BRAIN: "dvc.lock: 9999"}
        assert about(str(BRAIN), lock=LOCKED) == expected
        assert about("data/06_models", lock=LOCKED) == expected
        assert about(f"{BRAIN}/learnt.json", lock=LOCKED) == expected

    def test_what_was_added_is_told_by_the_file_beside_it(self):
        assert about(str(BRAIN), brain=ADDED) == {BRAIN: f"{BRAIN}.dvc: 1111"}

    def test_a_folder_above_counts(self):
        text = ADDED.replace("path: brain", "path: 06_models")
        told = {PurePosixPath("data/06_models"): "data/06_models.dvc: 1111"}
        assert about(str(BRAIN), store=text) == told

    def test_another_folder_of_like_name_does_not(self):
        assert about("data/06_models/brain-2", lock=LOCKED, brain=ADDED) == {}

    def test_a_file_of_dvc_that_works_from_another_folder(self):
        text = ADDED.replace("path: brain", "path: data/06_models/brain")
        assert about(str(BRAIN), brain=text + "wdir: ../..\n") == {
            BRAIN: f"{BRAIN}.dvc: 1111"
        }


class TestErrors:
    @pytest.mark.parametrize(
        "text", ["outs: [", "outs: 3", "[1]", "outs: [{md5: 1}]", "text", "\x00"]
    )
    def test_a_file_that_is_none_is_named_with_the_remedy(self, text):
        with pytest.raises(StoreError, match=r"brain\.dvc is no file .*git checkout"):
            about(str(BRAIN), brain=text)

    @given(start=st.integers(0, len(LOCKED)), noise=st.text(max_size=5))
    @settings(deadline=None)
    def test_damage_is_told_or_changes_nothing_else(self, start, noise):
        text = LOCKED[:start] + noise + LOCKED[start + 1 :]
        with suppress(StoreError):  # any other exception fails this test
            told = about(str(BRAIN), lock=text)
            assert all(word.startswith("dvc.lock: ") for word in told.values())


class Added:
    """A repository whose model was added by ``dvc add``."""

    def __init__(self, repository) -> None:
        self.repository = repository
        self.folder = repository.folder
        (self.folder / "data").mkdir()
        self.dvc("init", "--quiet")
        self.dvc("config", "core.analytics", "false")

    def dvc(self, *arguments: str) -> None:
        subprocess.run(  # noqa: S603
            [DVC, *arguments], cwd=self.folder, capture_output=True, check=True
        )

    def train(self, number: int):
        """Train, and add the model where it lies; commit nothing."""
        found = self.repository.train(number=number)
        self.dvc("add", str(found.folder.relative_to(self.folder)))
        return found

    def commit(self) -> None:
        self.repository.git("add", "--all")
        self.repository.commit("train")


class TestAdded:
    def test_it_is_promoted_once_its_file_is_committed_and_served_from_dvc(
        self, repository
    ):
        added = Added(repository)
        registry = ModelRegistry(added.folder)
        first = added.train(1)
        with pytest.raises(StoreError, match=r"btc-lstm\.dvc after `dvc add data/"):
            registry.promote(first)
        assert repository.tags() == []

        added.commit()
        assert registry.promote(first).is_tracked

        second = added.train(2)
        with pytest.raises(StoreError, match=r"committed .*btc-lstm\.dvc says"):
            registry.promote(second)
        served = read_serving(added.folder, repository.store, "btc-lstm")
        assert served == first.model
        added.commit()
        assert registry.promote(second).replaced == "v0.0.1"

    def test_a_model_that_was_changed_after_it_was_committed_is_refused(
        self, repository
    ):
        added = Added(repository)
        added.train(1)
        added.commit()
        changed = repository.train(number=2)
        with pytest.raises(StoreError, match="not what the committed"):
            ModelRegistry(added.folder).promote(changed)
        assert repository.tags() == []
