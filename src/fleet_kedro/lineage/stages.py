"""A stage for each pipeline that leaves something to track.

A pipeline made of others leaves nothing of its own. One whose results belong to a
moment, so that Kedro versions them or their entries say ``track: false``, leaves
nothing that comes out the same twice. Neither is a stage.

What decides whether a run may start (hooks, settings, the command line) shapes nothing
that is kept, so no stage depends on it.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

import fleet_kedro
from fleet_kedro.lineage.catalog import Catalog, Entry
from fleet_kedro.lineage.code import Code
from fleet_kedro.lineage.errors import LineageError
from fleet_kedro.lineage.order import in_order, refuse_overlaps
from fleet_kedro.lineage.parameters import PREFIX, Parameters
from fleet_kedro.lineage.stage import Model, Out, Stage
from fleet_kedro.lineage.tracking import Tracking

# Where the environment is that `make install` makes, so that `make repro` and
# `dvc repro` do the same whether or not it is active.
KEDRO = ".venv/bin/kedro"
# Pins every library: another version of one may leave other bytes.
PINNED = "constraints.txt"

# Stages that are not called like their pipelines.
NAMES = {"feature_engineering": "features", "validation": "global_validation"}
# How a pipeline is run, where not node by node. It leaves the same bytes either way.
OPTIONS = {"asset_training": "--runner ParallelRunner --runner-params max_workers=2"}
# Parameters that decide which nodes there are, so that no node asks for them.
SHAPED_BY = {"asset_training": ("forecaster_grid",)}


class Project(NamedTuple):
    """What stages are derived from."""

    catalog: Catalog
    parameters: Parameters
    code: Code


class Named(NamedTuple):
    """A pipeline, the module that makes it, and a line on what it does."""

    pipeline: Pipeline
    module: str
    desc: str


def project_stages(named: Mapping[str, Named], project: Project) -> list[Stage]:
    """Derive the stages of all pipelines, each behind those that it reads from.

    Errors
    ------
    LineageError
        A dataset or a parameter is not where DVC could find it, or stages wait for one
        another.
    """
    stages = [
        stage
        for name in sorted(named)
        if not _is_made_of_others(name, named)
        and (stage := _stage(name, named[name], project)).outs
    ]
    refuse_overlaps(stages)
    return in_order(stages)


def _is_made_of_others(name: str, named: Mapping[str, Named]) -> bool:
    others = {
        node
        for other, made in named.items()
        if other != name and len(made.pipeline.nodes) < len(named[name].pipeline.nodes)
        for node in made.pipeline.nodes
    }
    return set(named[name].pipeline.nodes) <= others


def _stage(name: str, made: Named, project: Project) -> Stage:
    pipeline = made.pipeline
    catalog = project.catalog
    outs = _outs(catalog.entries(pipeline.all_outputs()))
    kept = {out.path for out in outs if out.tracking.persist}
    asked = {ds for ds in pipeline.inputs() if ds.startswith(PREFIX)}
    reads = _reads(name, pipeline.inputs() - asked, catalog) - kept
    used = list(catalog.entries(pipeline.datasets() - asked))
    roots = {made.module, *_modules(pipeline.nodes)}
    modules = project.code.needed_by(roots.union(*(entry.modules for entry in used)))
    shaping = {f"{PREFIX}{key}" for key in SHAPED_BY.get(name, ())}
    command = f"{KEDRO} run --env base --pipelines {name} {OPTIONS.get(name, '')}"
    return Stage(
        name=NAMES.get(name, name),
        desc=made.desc,
        cmd=command.rstrip(),
        code=(
            PINNED,
            *sorted({f"conf/{entry.file}" for entry in used}),
            *(f"src/{path}" for path in project.code.paths(modules)),
        ),
        reads=tuple(sorted(reads)),
        keys=project.parameters.keys(asked | shaping, used),
        outs=tuple(outs),
        models=tuple(_models(catalog.entries(pipeline.all_outputs()))),
    )


def _modules(nodes: Iterable[Node]) -> Iterator[str]:
    """Yield the project's modules that the nodes' functions are from."""
    for node in nodes:
        function = node.func
        while isinstance(function, partial):
            function = function.func
        if function.__module__.startswith(f"{fleet_kedro.__name__}."):
            yield function.__module__


def _outs(entries: Iterable[Entry]) -> list[Out]:
    """Gather what entries keep; those of a pattern lie in one folder together."""
    found: dict[str, Tracking] = {}
    for entry in entries:
        if entry.folder is None or entry.is_versioned or not entry.tracking.track:
            continue
        tracking = entry.tracking.model_copy(update={"model": None})
        if found.setdefault(entry.folder, tracking) != tracking:
            raise LineageError(
                f"The catalog entries that lie in {entry.folder} say different things "
                f"under metadata.dvc, {entry.name!r} among them; say the same, as DVC "
                "tracks the folder as one."
            )
    return [Out(path, found[path]) for path in sorted(found)]


def _reads(pipeline: str, datasets: Iterable[str], catalog: Catalog) -> set[str]:
    """Return where the data lies that a pipeline starts from."""
    found = set()
    for name in datasets:
        entry = catalog.entry(name)
        if entry is None or entry.folder is None:
            raise LineageError(
                f"The pipeline {pipeline!r} reads {name!r}, which is in no file, and "
                "nothing is handed from stage to stage in memory. Give it a filepath "
                "in conf/base/catalog*.yml."
            )
        if entry.tracking.track and not entry.is_versioned:
            found.add(entry.folder)
    return found


def _models(entries: Iterable[Entry]) -> Iterator[Model]:
    for entry in entries:
        if (note := entry.tracking.model) is not None and entry.path is not None:
            yield Model(note.name.lower(), entry.path, note.desc, note.labels)
