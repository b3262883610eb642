"""The stages of DVC say what the pipelines read, need and leave: no more, no less."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest
import yaml
from kedro.io import CatalogConfigResolver

from fleet_kedro.pipelines import (
    asset_training,
    backtest,
    feature_engineering,
    global_training,
    ingestion,
    tuning,
    validation,
)

ROOT = Path(__file__).parents[1]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
PACKAGES = {
    "ingestion": ingestion,
    "features": feature_engineering,
    "global_validation": validation,
    "global_training": global_training,
    "tuning": tuning,
    "asset_training": asset_training,
    "backtest": backtest,
}
# What a stage tells a person is part of its outputs, not of the console only.
TELLING = {"global_validation", "tuning", "asset_training", "backtest"}
# Holds time stamps, so neither an output nor a dependency of any stage.
UNTRACKED = {"tuning_journal"}
# What an earlier run of a later stage has left: told of, never depended on.
HISTORY = {"tuning_ledger@read"}
# Decides which nodes there are, so no node asks for it.
SHAPING = {"asset_training": {"forecaster_grid"}}
CATALOG = {
    name: entry
    for file in sorted((ROOT / "conf/base").glob("catalog*.yml"))
    for name, entry in yaml.safe_load(file.read_text(encoding="utf-8")).items()
}
RESOLVER = CatalogConfigResolver(CATALOG)
each_stage = pytest.mark.parametrize("stage", sorted(PACKAGES))


def entry_of(name: str) -> dict[str, object]:
    """Return a dataset's entry: its own, or that of the pattern it fits."""
    return CATALOG.get(name) or CATALOG.get(RESOLVER.match_dataset_pattern(name), {})


def kept(names: set[str]) -> set[str]:
    """Return where the datasets lie; parameters and objects in memory lie nowhere.

    Those of a pattern lie in the folder above all that the pattern stands for.
    """
    entries = [entry_of(name) for name in names - UNTRACKED]
    paths = [entry.get("filepath", entry.get("path")) for entry in entries]
    return {str(path).partition("/{")[0] for path in paths if path}


def parameters_of(stage: str) -> dict[str, list[str]]:
    return {
        file: names for part in STAGES[stage]["params"] for file, names in part.items()
    }


def test_every_stage_is_a_pipeline():
    assert STAGES.keys() == PACKAGES.keys()


@each_stage
def test_a_stage_leaves_what_its_pipeline_keeps(stage):
    pipeline = PACKAGES[stage].create_pipeline()
    outs = [*STAGES[stage]["outs"], *STAGES[stage].get("metrics", [])]
    # An out with options of its own is written as a mapping.
    left = [out if isinstance(out, str) else next(iter(out)) for out in outs]

    assert set(left) == kept(pipeline.all_outputs())
    assert len(left) == len(set(left))


@each_stage
def test_a_stage_reads_what_its_pipeline_starts_from(stage):
    read = {path for path in STAGES[stage]["deps"] if path.startswith("data/")}

    pipeline = PACKAGES[stage].create_pipeline()
    needed = kept(pipeline.inputs() - HISTORY)

    assert read == needed - persistent(stage)


def persistent(stage: str) -> set[str]:
    """Return the outs that the next run of a stage finds as this one has left them."""
    return {
        path
        for out in STAGES[stage]["outs"]
        if isinstance(out, dict)
        for path, options in out.items()
        if options["persist"]
    }


@each_stage
def test_a_stage_needs_the_code_that_its_nodes_import(stage):
    graph = grimp.build_graph("fleet_kedro")
    package = PACKAGES[stage].__name__
    if stage not in TELLING:
        # What the others tell the console shapes no output; a figure does.
        for module in graph.find_descendants(package):
            for told in graph.find_modules_directly_imported_by(module):
                if re.match(r"fleet_kedro\.reports\.(?!figures)", told):
                    graph.remove_import(importer=module, imported=told)
    used = graph.find_upstream_modules(package, as_package=True)
    for module in dataset_modules(PACKAGES[stage].create_pipeline().datasets()):
        used |= {module} | graph.find_upstream_modules(module)
    needed = {
        ROOT / "src" / Path(*module.split("."))
        for module in used
        if graph.find_modules_directly_imported_by(module)
        or not (ROOT / "src" / Path(*module.split("."))).is_dir()
    }
    listed = {
        (ROOT / path).with_suffix("")
        for path in STAGES[stage]["deps"]
        if path.startswith("src/")
    }
    covered = {
        path for path in needed if any(path.is_relative_to(dep) for dep in listed)
    }

    assert needed - covered == set()
    unread = {
        dep for dep in listed if not any(path.is_relative_to(dep) for path in needed)
    }
    assert unread <= {ROOT / "src" / Path(*package.split("."))}


def dataset_modules(names: set[str]) -> set[str]:
    """Return our modules that the catalog reads and writes these datasets with."""
    types = {str(entry_of(name).get("type")) for name in names}
    return {
        type_name.rpartition(".")[0]
        for type_name in types
        if type_name.startswith("fleet_kedro.")
    }


@each_stage
def test_a_stage_knows_all_of_its_parameters(stage):
    listed = parameters_of(stage)
    blocks = {
        name: (file, block)
        for file in sorted(path.name for path in (ROOT / "conf/base").glob("param*"))
        for name, block in yaml.safe_load(
            (ROOT / "conf/base" / file).read_text(encoding="utf-8")
        ).items()
    }
    asked = {
        name.removeprefix("params:")
        for name in PACKAGES[stage].create_pipeline().inputs()
        if name.startswith("params:")
    } | SHAPING.get(stage, set())
    expected: dict[str, set[str]] = {}
    for name in asked:
        file, block = blocks[name]
        expected.setdefault(f"conf/base/{file}", set()).add(name)
        shared = re.findall(r"\$\{globals:(\w+)\}", yaml.safe_dump(block))
        expected.setdefault("conf/base/globals.yml", set()).update(shared)

    assert {file: set(names) for file, names in listed.items()} == expected


@pytest.fixture
def small_project(tmp_path):
    """A copy of the project whose base is as small as the smoke environment."""
    for name in ("conf", "src"):
        shutil.copytree(
            ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in ("pyproject.toml", "constraints.txt", "dvc.yaml", ".dvcignore"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parents[1])
    base, smoke = tmp_path / "conf/base", tmp_path / "conf/smoke"
    for path in smoke.iterdir():
        merged = yaml.safe_load((base / path.name).read_text())
        merged |= yaml.safe_load(path.read_text())
        (base / path.name).write_text(yaml.safe_dump(merged))
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text(
        (ROOT / ".dvc/config").read_text() + "    no_scm = true\n"
    )
    return tmp_path


@pytest.mark.slow
def test_a_second_repro_does_nothing_and_a_forced_one_leaves_the_same_bytes(
    small_project,
):
    def repro(*options: str) -> str:
        return subprocess.run(  # noqa: S603
            [small_project / ".venv/bin/dvc", "repro", *options],
            cwd=small_project,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    repro()
    lock = (small_project / "dvc.lock").read_text()
    again = repro()
    # The report tells of thresholds that were tried before it. The first run had none.
    (small_project / "data/07_model_output/tuning_trials.jsonl").unlink()
    repro("--force")

    assert again.count("didn't change, skipping") == len(STAGES)
    assert (small_project / "dvc.lock").read_text() == lock
