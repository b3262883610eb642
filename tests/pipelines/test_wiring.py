"""What flows where: nothing appears from nowhere, and what matters is kept."""

from pathlib import Path

import pytest
import yaml

from fleet_kedro.pipelines import (
    feature_engineering,
    global_validation,
    ingestion,
    tuning,
    validation,
)

ROOT = Path(__file__).parents[2]
PIPELINES = {
    package.__name__.rpartition(".")[2]: package.create_pipeline()
    for package in (
        *(ingestion, feature_engineering, validation, tuning),
        global_validation,
    )
}
CATALOG = {
    name: entry
    for file in sorted((ROOT / "conf/base").glob("catalog*.yml"))
    for name, entry in yaml.safe_load(file.read_text(encoding="utf-8")).items()
}
# Objects of one run that the next pipeline has no use for
IN_MEMORY = {
    "market_context",
    "run_facts",
    "picks",
    "telemetry",
    "efficiency",
    "scrutiny",
    "verdict",
    "figures",
}
# Appended to from run to run, beside the flow of the data
BESIDE = {"tuning_journal"}
LAYERS = {"raw", "intermediate", "primary", "feature", "model_output", "reporting"}


def datasets(names: set[str]) -> set[str]:
    return {name for name in names if not name.startswith("params:")}


def test_the_main_job_asks_for_parameters_only():
    main = PIPELINES["global_validation"]

    assert datasets(main.inputs()) == set()
    assert {name.rpartition(":")[0] for name in main.inputs()} == {"params"}


def test_the_main_job_is_the_three_pipelines_and_nothing_else():
    parts = ("ingestion", "feature_engineering", "validation")
    nodes = {node.name for name in parts for node in PIPELINES[name].nodes}

    assert {node.name for node in PIPELINES["global_validation"].nodes} == nodes
    assert len(nodes) == sum(len(PIPELINES[name].nodes) for name in parts)


@pytest.mark.parametrize("name", ["global_validation", "tuning"])
def test_a_node_bears_the_name_of_its_function(name):
    nodes = PIPELINES[name].nodes

    assert nodes
    assert [node.name for node in nodes] == [node.func.__name__ for node in nodes]


def test_the_catalog_holds_every_dataset_and_no_other():
    named = [datasets(pipeline.datasets()) for pipeline in PIPELINES.values()]

    assert set().union(*named) == CATALOG.keys()


def test_all_is_kept_but_the_objects_of_one_run():
    in_memory = {
        name for name, entry in CATALOG.items() if entry["type"] == "MemoryDataset"
    }
    assert in_memory == IN_MEMORY


@pytest.mark.parametrize(
    "name", ["ingestion", "feature_engineering", "validation", "tuning"]
)
def test_a_pipeline_starts_from_what_others_have_kept(name):
    made_before = {
        "ingestion": set(),
        "feature_engineering": PIPELINES["ingestion"].outputs()
        | PIPELINES["ingestion"].all_outputs(),
        "validation": PIPELINES["ingestion"].all_outputs()
        | PIPELINES["feature_engineering"].all_outputs(),
        "tuning": PIPELINES["global_validation"].all_outputs() | BESIDE,
    }[name]
    needed = datasets(PIPELINES[name].inputs())

    assert needed <= made_before
    assert needed.isdisjoint(IN_MEMORY)


@pytest.mark.parametrize("name", sorted(CATALOG.keys() - BESIDE))
def test_every_dataset_has_a_layer_and_lies_where_it_says(name):
    entry = CATALOG[name]
    layer = entry["metadata"]["kedro-viz"]["layer"]
    path = entry.get("filepath", entry.get("path"))

    assert layer in LAYERS
    if name not in IN_MEMORY:
        folder = Path(path).parts[1]
        assert folder.partition("_")[2] == layer
