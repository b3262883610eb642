"""Small models with full cards, and git repositories of their own to tag them in."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fleet_kedro.models.formats import ARRAYS, arrays_to_bytes
from fleet_kedro.store.bundle import StoredModel, write_bundle
from fleet_kedro.store.card import (
    CardVerdict,
    Criterion,
    DataUsed,
    Metric,
    ModelCard,
)
from fleet_kedro.store.shelf import OnShelf

TREES = b"tree\nversion=v4\n"


@pytest.fixture(scope="session")
def make_card() -> Callable[..., ModelCard]:
    """Return a function that makes a complete card with a passing verdict."""

    def make(name: str = "btc-lstm", *, passed: bool = True, **changes) -> ModelCard:
        criterion = Criterion(
            name="RMSE below the zero forecast's",
            value=0.0036,
            bound=0.0037,
            unit="percent",
            passed=passed,
            detail="1 h, out of sample",
        )
        values = {
            "name": name,
            "kind": "lstm",
            "assets": ("BTC",),
            "libraries": {"python": "3.11", "torch": "2.13.0"},
            "parameters": {"network": {"width": 32, "layers": 2}, "seed": 7},
            "data": DataUsed(
                source="embedded market",
                start="2022-01-01",
                end="2023-12-31T23:00",
                rows=17_000,
                sha256="ab" * 32,
            ),
            "folds": 5,
            "metrics": (
                Metric(
                    name="rmse_1h",
                    value=0.0036,
                    null=0.0037,
                    null_name="zero forecast",
                    unit="percent",
                ),
            ),
            "verdict": CardVerdict(passed=passed, criteria=(criterion,)),
            "trials": 12,
            "n_parameters": 9_000,
        }
        return ModelCard(**(values | changes))

    return make


@pytest.fixture(scope="session")
def make_files() -> Callable[..., dict[str, bytes]]:
    """Return a function that makes the files of a model, another one per number."""

    def make(number: int = 0) -> dict[str, bytes]:
        weights = np.random.default_rng(number).normal(size=(4, 3))
        return {
            ARRAYS: arrays_to_bytes({"weights": weights}),
            "trees.txt": TREES + b"number=%d\n" % number,
            "settings.json": b'{"number": %d}' % number,
        }

    return make


class Repository:
    """A project in a git repository, with a store of models."""

    def __init__(self, folder: Path, make_files, make_card) -> None:
        self.folder = folder
        self.store = folder / "data/06_models"
        self._make_files, self._make_card = make_files, make_card
        self.git("init", "--quiet", "--initial-branch", "main")
        self.git("config", "user.name", "Ada")
        self.git("config", "user.email", "ada@example.org")
        self.commit("begin")

    def git(self, *arguments: str) -> str:
        return subprocess.run(  # noqa: S603
            ["git", "-C", str(self.folder), *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def commit(self, message: str) -> str:
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD").strip()

    def tags(self) -> list[str]:
        return self.git("tag", "--list").split()

    def message(self, tag: str) -> str:
        return self.git("tag", "--list", "--format", "%(contents)", tag)

    def train(self, name: str = "btc-lstm", number: int = 0, **card) -> OnShelf:
        """Put a model into the store, another one per number."""
        folder = self.store / name
        stored = write_bundle(
            folder, self._make_files(number), self._make_card(name, **card)
        )
        return OnShelf(folder, stored)

    def train_and_commit(self, number: int, name: str = "btc-lstm") -> OnShelf:
        found = self.train(name, number)
        self.commit(f"train {name} {number}")
        return found


@pytest.fixture
def repository(tmp_path, make_files, make_card, monkeypatch) -> Repository:
    # Whatever a machine's own git is told must not matter here.
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    folder = tmp_path / "project"
    folder.mkdir()
    return Repository(folder, make_files, make_card)


@pytest.fixture
def model(make_files, make_card) -> StoredModel:
    files = make_files()
    return StoredModel(make_card().naming(files), files)
