"""A small project in which every stage has run, made once."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from repro.small_project import SmallProject


class Finished(NamedTuple):
    """A project whose stages have all run, and how many seconds each of them took."""

    project: SmallProject
    seconds: dict[str, float]


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Every stage run undisturbed, on one thread; to be read and copied only."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "project").mkdir()
    project = SmallProject(folder / "project", folder)
    project.build()
    seconds = project.repro_with_times()
    project.commit("Run every stage")
    return Finished(project, seconds)


@pytest.fixture
def make_copy(finished: Finished, tmp_path: Path) -> Callable[[], SmallProject]:
    """Return a function that copies the project with all that was run in it."""
    return lambda: finished.project.copy(tmp_path / "copy")
