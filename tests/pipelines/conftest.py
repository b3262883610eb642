"""Copies of the project to run Kedro in, each with data of its own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CompletedProcess

import pytest

ROOT = Path(__file__).parents[2]
# The tests import what reads their pages.
sys.path.insert(0, str(Path(__file__).parent))

os.environ["KEDRO_LOGGING_CONFIG"] = str(Path(__file__).with_name("logging.yml"))


class Project:
    """A project folder with the configuration of this one and no data yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "conf", folder / "conf")
        for name in ("pyproject.toml", ".telemetry"):
            shutil.copy(ROOT / name, folder)
        (folder / "src").mkdir()  # Kedro wants one; the code is the installed one

    def kedro(
        self, *arguments: str, environ: Mapping[str, str] | None = None
    ) -> CompletedProcess[str]:
        """Run ``kedro`` here, as a user does, and wait for it."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("KEDRO_", "FLEET_"))
        }
        return subprocess.run(  # noqa: S603
            [Path(sys.executable).with_name("kedro"), *arguments],
            cwd=self.folder,
            env=kept | {"DO_NOT_TRACK": "1", "COLUMNS": "80"} | dict(environ or {}),
            capture_output=True,
            text=True,
            check=False,
        )

    def configure(self, file: str, text: str) -> None:
        """Write a file of the configuration, such as ``smoke/globals.yml``."""
        path = self.folder / "conf" / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def outputs(self) -> dict[str, bytes]:
        """Read every file that runs have left, by its path inside ``data``."""
        data = self.folder / "data"
        return {
            str(path.relative_to(data)): path.read_bytes()
            for path in sorted(data.rglob("*"))
            if path.is_file()
        }


@pytest.fixture(scope="session")
def make_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Project]:
    return lambda: Project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def validated_project(make_project: Callable[[], Project]) -> Project:
    """Make a project in which the main job has run, small."""
    project = make_project()
    run = project.kedro("run", "--pipelines", "global_validation", "--env", "smoke")
    assert run.returncode == 0, run.stderr
    return project
