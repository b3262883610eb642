"""Every environment's configuration says what the code understands, each thing once."""

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kedro.config import OmegaConfigLoader
from kedro.validation import TypeExtractor

from fleet_kedro.pipelines import (
    asset_training,
    backtest,
    global_validation,
    signalling,
    tuning,
)
from fleet_kedro.pipelines.forecaster_grid import ForecasterGrid

CONF = Path(__file__).parents[1] / "conf"
ENVIRONMENTS = ["base", "exchange", "files", "null", "smoke"]
PIPELINE = (
    global_validation.create_pipeline()
    + tuning.create_pipeline()
    + asset_training.create_pipeline()
    + backtest.create_pipeline()
    + signalling.create_pipeline()
)
ASKED = TypeExtractor({"all": PIPELINE}).extract_types_from_pipelines()
# A hook reads the grid, before there are nodes that could ask for it.
BLOCKS = ASKED | {"forecaster_grid": ForecasterGrid}
BASE = {
    name: block
    for file in sorted((CONF / "base").glob("parameters*.yml"))
    for name, block in yaml.safe_load(file.read_text(encoding="utf-8")).items()
}


def parameters(environment: str, **runtime: Any) -> dict[str, Any]:
    loader = OmegaConfigLoader(
        conf_source=str(CONF),
        env=environment,
        base_env="base",
        default_run_env="local",
        runtime_params=runtime,
        custom_resolvers={
            "env": lambda name, default="": os.environ.get(name, default)
        },
    )
    return loader["parameters"]


def leaves(block: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Walk the values below a block, each with its dotted place."""
    if isinstance(block, dict):
        for key, value in block.items():
            yield from leaves(value, f"{place}.{key}")
    else:
        yield place, block


def test_every_parameter_of_the_nodes_has_a_class():
    asked = {
        name.removeprefix("params:")
        for name in PIPELINE.inputs()
        if name.startswith("params:")
    }
    assert asked == ASKED.keys()
    assert len(asked) >= 8


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_every_block_of_every_environment_builds_its_class(environment, name):
    block = parameters(environment)[name]
    built = BLOCKS[name].model_validate(block)

    assert built.model_fields_set == block.keys()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_asset_with_forecasters_belongs_to_the_fleet(environment):
    blocks = parameters(environment)

    assert set(blocks["forecaster_grid"]["assets"]) <= set(blocks["universe"]["assets"])


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_no_network_reads_farther_back_than_its_rows_reach(environment):
    forecasters = BLOCKS["forecasters"].model_validate(
        parameters(environment)["forecasters"]
    )
    windows = [
        getattr(forecasters, kind).window_bars
        for kind in parameters(environment)["forecaster_grid"]["models"]
        if hasattr(getattr(forecasters, kind), "window_bars")
    ]

    assert windows
    assert max(windows) <= forecasters.bars.longest_window_bars


def test_no_environment_is_forgotten_here():
    there = {folder.name for folder in CONF.iterdir() if folder.is_dir()}

    assert there == {*ENVIRONMENTS, "local"}


def test_no_block_is_left_unread():
    shorthands = {"folds", "days", "end"}

    assert BASE.keys() - BLOCKS.keys() == shorthands


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_changes_known_blocks_only(environment):
    for file in (CONF / environment).glob("parameters*.yml"):
        assert yaml.safe_load(file.read_text()).keys() <= BASE.keys()
    for file in (CONF / environment).glob("globals.yml"):
        known = yaml.safe_load((CONF / "base/globals.yml").read_text())
        assert yaml.safe_load(file.read_text()).keys() <= known.keys()


def test_a_number_that_several_blocks_share_is_written_once():
    written = defaultdict(list)
    for name, block in BASE.items():
        for place, value in leaves(block, name):
            written[place.rpartition(".")[2]].append(value)
    shared = {key: values for key, values in written.items() if len(values) > 1}

    assert {"horizon_bars", "round_trip_cost", "seed", "folds", "days"} <= shared.keys()
    for key, values in shared.items():
        assert all("${globals:" in str(value) for value in values), key


def test_the_shorthands_reach_the_blocks():
    given = parameters("base", folds=3, days=365, end="2023-12-31T23:00")

    assert given["walk_forward"]["folds"] == 3
    assert given["window"]["days"] == 365
    assert given["window"]["end"] == "2023-12-31T23:00"


def test_the_files_environment_takes_its_folder_from_the_surroundings(monkeypatch):
    monkeypatch.setenv("FLEET_MARKET_DIR", "/some/where")
    source = parameters("files")["market"]["source"]

    assert source == {"kind": "files", "folder": "/some/where"}
