"""The stages of the project that lies in a folder."""

import importlib
import inspect
import pkgutil
from pathlib import Path

from pydantic import ValidationError

import fleet_kedro
from fleet_kedro import pipelines
from fleet_kedro.lineage.catalog import configured, read_catalog
from fleet_kedro.lineage.code import Code
from fleet_kedro.lineage.document import render
from fleet_kedro.lineage.errors import LineageError
from fleet_kedro.lineage.parameters import read_parameters
from fleet_kedro.lineage.stages import Named, Project, project_stages
from fleet_kedro.pipelines.forecaster_grid import ForecasterGrid, configured_grid


def project_document(folder: Path) -> str:
    """Return what the dvc.yaml of the project in ``folder`` has to say.

    Pipelines and imports are those of the installed package; configuration is that of
    the base environment in ``folder``.

    Errors
    ------
    LineageError
        A stage cannot be derived.
    """
    conf = folder / "conf"
    project = Project(
        read_catalog(conf),
        read_parameters(conf),
        Code(fleet_kedro.__name__, Path(fleet_kedro.__path__[0])),
    )
    return render(project_stages(_pipelines(_grid(conf)), project))


def _grid(conf: Path) -> ForecasterGrid:
    """Read which forecasters there are, as the hook does before a run."""
    raw = configured(conf, "parameters").get("forecaster_grid", {})
    try:
        return ForecasterGrid.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise LineageError(
            f"The parameter 'forecaster_grid' cannot be {raw}: {first['msg']}."
        ) from error


def _pipelines(grid: ForecasterGrid) -> dict[str, Named]:
    """Make every pipeline of the project; a package of pipelines is one."""
    before = configured_grid.set(grid)
    try:
        return {
            found.name: _made(f"{pipelines.__name__}.{found.name}")
            for found in pkgutil.iter_modules(pipelines.__path__)
            if found.ispkg
        }
    finally:
        configured_grid.reset(before)


def _made(package: str) -> Named:
    create = importlib.import_module(package).create_pipeline
    first_line = (inspect.getdoc(create) or package).partition("\n")[0]
    return Named(create(), create.__module__, first_line.removesuffix("."))
