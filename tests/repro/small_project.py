"""The whole project, small: every stage of DVC in about a minute, in a repository.

A copy of the code, and of a configuration whose ``base`` is as small as ``smoke``, as
the stages of DVC always run on ``base``. What runs is what a user runs: the real
stages, in processes of their own.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess

import psutil
import yaml

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
COPIED = (
    "pyproject.toml",
    "constraints.txt",
    "dvc.yaml",
    ".dvcignore",
    ".gitignore",
    ".telemetry",
)
STARTED = re.compile(r"Running stage '(\S+)'")

# Every kind of forecaster, and none of them trained for long.
NETWORK = {"training": {"epochs": 1, "batch_size": 64, "rows_per_epoch": 256}}
TREES = {"n_trees": 10, "max_leaves": 4, "min_leaf_outcomes": 4}
FORECASTERS = {
    "random_forest": TREES,
    "xgboost": TREES,
    "lightgbm": TREES | {"l2": 0.0, "doubt": 0.0},
    "lstm": NETWORK | {"window_bars": 12, "width": 4},
    "transformer": NETWORK | {"window_bars": 12, "width": 8},
    "multitask": NETWORK | {"window_bars": 16, "width": 4},
}


class SmallProject:
    """A working copy of the small project."""

    def __init__(self, folder: Path, elsewhere: Path) -> None:
        """``elsewhere`` is for what DVC keeps outside of a repository."""
        self.folder = folder
        # Whatever this machine's own git, DVC and clouds are told must not matter.
        self.environ = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("KEDRO_", "FLEET_", "AWS_", "DVC_", "GIT_"))
        } | {
            "DO_NOT_TRACK": "1",
            "DVC_SITE_CACHE_DIR": str(elsewhere / "site"),
            "DVC_GLOBAL_CONFIG_DIR": str(elsewhere / "global"),
            "DVC_SYSTEM_CONFIG_DIR": str(elsewhere / "system"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONUNBUFFERED": "1",
        }
        for role in ("AUTHOR", "COMMITTER"):
            self.environ[f"GIT_{role}_NAME"] = "Ada"
            self.environ[f"GIT_{role}_EMAIL"] = "ada@example.org"

    def build(self) -> None:
        """Copy the project here, make it small, and commit it."""
        for name in ("conf", "src"):
            shutil.copytree(
                ROOT / name,
                self.folder / name,
                ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "local"),
            )
        for name in COPIED:
            shutil.copy(ROOT / name, self.folder)
        (self.folder / "conf/local").mkdir()
        (self.folder / "data").mkdir()
        shutil.copy(ROOT / "data/.gitignore", self.folder / "data")
        (self.folder / ".dvc").mkdir()
        for name in ("config", ".gitignore"):
            shutil.copy(ROOT / ".dvc" / name, self.folder / ".dvc")
        self._shrink()
        self.git("init", "--quiet", "--initial-branch", "main")
        self.use_python()
        self.commit("A small project")

    def use_python(self) -> None:
        """Stand in for ``make install``."""
        (self.folder / ".venv").symlink_to(BIN.parent)
        # Git takes a link for a file, and .gitignore speaks of a folder.
        with (self.folder / ".git/info/exclude").open("a") as exclude:
            exclude.write("/.venv\n")

    def copy(self, folder: Path) -> "SmallProject":
        """Return a copy with all that was run here."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return self._at(folder)

    def clone(self, folder: Path) -> "SmallProject":
        """Return a fresh clone: what git has, and nothing else."""
        self.git("clone", "--quiet", str(self.folder), str(folder))
        cloned = self._at(folder)
        cloned.use_python()
        return cloned

    def git(self, *arguments: str) -> str:
        return self.run("git", *arguments).stdout

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def dvc(self, *arguments: str, check: bool = True) -> CompletedProcess[str]:
        return self.run(".venv/bin/dvc", *arguments, check=check)

    def kedro(self, *arguments: str, check: bool = True) -> CompletedProcess[str]:
        return self.run(".venv/bin/kedro", *arguments, check=check)

    def run(self, *command: str, check: bool = True) -> CompletedProcess[str]:
        """Run a command here; where it should have succeeded, show what it said."""
        done = subprocess.run(  # noqa: S603
            command,
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",  # objects of git are no text
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}")
        return done

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command in a session of its own, so that it can be killed whole."""
        return subprocess.Popen(  # noqa: S603
            command,
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def repro_with_times(self) -> dict[str, float]:
        """Run all stages; return how many seconds each of them took."""
        begins: list[tuple[str, float]] = []
        said = []
        with self.start(".venv/bin/dvc", "repro") as process:
            for line in process.stdout or ():
                said.append(line)
                if found := STARTED.search(line):
                    begins.append((found[1], time.monotonic()))
        if process.returncode != 0:
            raise AssertionError(f"dvc repro failed:\n{''.join(said)[-3000:]}")
        ends = [moment for _, moment in begins[1:]] + [time.monotonic()]
        return {
            stage: end - begin for (stage, begin), end in zip(begins, ends, strict=True)
        }

    def stages(self) -> list[str]:
        """Name the stages of ``dvc.yaml``."""
        return list(yaml.safe_load((self.folder / "dvc.yaml").read_text())["stages"])

    def locked(self) -> dict[str, dict[str, str]]:
        """Return the hash of every output, by stage, as ``dvc.lock`` says."""
        lock = self.folder / "dvc.lock"
        stages = yaml.safe_load(lock.read_text())["stages"] if lock.exists() else {}
        return {
            name: {out["path"]: out["md5"] for out in stage["outs"]}
            for name, stage in stages.items()
        }

    def _at(self, folder: Path) -> "SmallProject":
        other = SmallProject(folder, folder.parent)
        other.environ = dict(self.environ)
        return other

    def _shrink(self) -> None:
        base, smoke = self.folder / "conf/base", self.folder / "conf/smoke"
        for path in sorted(smoke.iterdir()):
            own = yaml.safe_load((base / path.name).read_text())
            merged = own | yaml.safe_load(path.read_text())
            if path.name == "globals.yml":
                merged |= {
                    "forecast_models": list(FORECASTERS),
                    # where the stages say that their results lie
                    "results_folder": own["results_folder"],
                }
            if path.name == "parameters_asset_training.yml":
                merged["forecasters"] |= FORECASTERS
            (base / path.name).write_text(yaml.safe_dump(merged, sort_keys=False))


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a command and all that it has started, at once."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    members = [
        each for each in psutil.process_iter() if _session(each.pid) == process.pid
    ]
    psutil.wait_procs(members, timeout=10)


def changed(
    one: Mapping[str, Mapping[str, str]], other: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """Name the outputs whose bytes differ between two runs, or that one run lacks."""
    return sorted(
        path
        for stage in one.keys() | other.keys()
        for path in one.get(stage, {}).keys() | other.get(stage, {}).keys()
        if one.get(stage, {}).get(path) != other.get(stage, {}).get(path)
    )


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None
