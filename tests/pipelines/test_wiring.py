"""What flows where: nothing appears from nowhere, and what matters is kept."""

from pathlib import Path

import pytest
import yaml
from kedro.io import CatalogConfigResolver

from fleet_kedro.models.forecasters.kinds import KINDS
from fleet_kedro.pipelines import (
    asset_training,
    backtest,
    feature_engineering,
    global_training,
    global_validation,
    ingestion,
    signalling,
    tuning,
    validation,
)
from fleet_kedro.pipelines.forecaster_grid import ForecasterGrid

ROOT = Path(__file__).parents[2]
PIPELINES = {
    package.__name__.rpartition(".")[2]: package.create_pipeline()
    for package in (
        *(ingestion, feature_engineering, validation, tuning),
        *(global_training, global_validation, backtest, signalling),
    )
}
GRID = ForecasterGrid(assets=("BTC", "DOGE"), models=KINDS)
PIPELINES["asset_training"] = asset_training.create_pipeline(GRID)
CATALOG = {
    name: entry
    for file in sorted((ROOT / "conf/base").glob("catalog*.yml"))
    for name, entry in yaml.safe_load(file.read_text(encoding="utf-8")).items()
}
RESOLVER = CatalogConfigResolver(CATALOG)
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
    *("admitted_walks", "signal_history", "backtest_steps", "traded_accounts"),
    *("shuffled_sharpes", "deflated", "backtest_report", "backtest_by_threshold"),
    *("return_strengths", "tuned_returns"),
    *("present", "model_answers", "learnt_rules"),
    "portfolio_signal",
}
# Likewise, of each asset or each of its forecasters
HANDED_ON = {
    *(f"{asset}.bars" for asset in GRID.assets),
    *(
        f"{asset}_ensemble_{part}"
        for asset in GRID.assets
        for part in ("production", "scores", "costs")
    ),
    *(f"{asset}.{kind}_seconds" for asset in GRID.assets for kind in GRID.models),
}
# Appended to from run to run, beside the flow of the data
BESIDE = {"tuning_journal"}
# What the run before this one has left, where this one leaves its own
EARLIER = {"{asset}.{kind}_earlier_model", "{asset}.{kind}_earlier_walk"}
# Takes from the report what git keeps
FOLLOWED = "follow_forecasters"
# What a pattern leaves asset by asset, read as a whole
GATHERED = {"ensemble_walks"}
# What others have left, as much of it as there is
AT_HAND = {"dominance_at_hand", "serving_models"}
# A layer is called as its folder: Kedro-Viz sorts by name what nothing else orders
LAYERS = {
    *("01_raw", "02_intermediate", "03_primary", "04_feature", "06_models"),
    *("07_model_output", "08_reporting"),
}


def datasets(names: set[str]) -> set[str]:
    return {name for name in names if not name.startswith("params:")}


def entry_of(name: str) -> str | None:
    """Return the catalog's name of a dataset: its own, or a pattern it fits."""
    return name if name in CATALOG else RESOLVER.match_dataset_pattern(name)


def test_the_main_job_asks_for_parameters_only():
    main = PIPELINES["global_validation"]

    assert datasets(main.inputs()) == set()
    assert {name.rpartition(":")[0] for name in main.inputs()} == {"params"}


def test_the_main_job_is_the_three_pipelines_and_nothing_else():
    parts = ("ingestion", "feature_engineering", "validation")
    nodes = {node.name for name in parts for node in PIPELINES[name].nodes}

    assert {node.name for node in PIPELINES["global_validation"].nodes} == nodes
    assert len(nodes) == sum(len(PIPELINES[name].nodes) for name in parts)


@pytest.mark.parametrize(
    "name",
    ["global_validation", "global_training", "tuning", "backtest", "signalling"],
)
def test_a_node_bears_the_name_of_its_function(name):
    nodes = PIPELINES[name].nodes

    assert nodes
    assert [node.name for node in nodes] == [node.func.__name__ for node in nodes]


def test_every_asset_has_a_namespace_with_a_node_for_each_model():
    named = {node.name for node in PIPELINES["asset_training"].nodes}
    parts = ("lay_out_bars", "combine", "keep_ensemble", "weigh")
    steps = (*parts, *(f"train_{kind}" for kind in KINDS))

    assert named == {
        "tell",
        FOLLOWED,
        *(f"{a}.{step}" for a in GRID.assets for step in steps),
    }


def test_a_namespace_needs_no_other():
    """So `--namespaces BTC` trains one asset."""
    own = PIPELINES["asset_training"].filter(node_namespaces=["DOGE"])

    assert len(own.nodes) == len(KINDS) + 4
    assert not [name for name in datasets(own.datasets()) if "BTC" in name]


def test_the_catalog_holds_every_dataset_and_no_other():
    named = [datasets(pipeline.datasets()) for pipeline in PIPELINES.values()]
    entries = {name: entry_of(name) for name in set().union(*named)}

    assert {name for name, entry in entries.items() if entry is None} == HANDED_ON
    assert set(entries.values()) - {None} == CATALOG.keys()


def test_no_two_results_lie_in_one_place():
    results = PIPELINES["asset_training"].all_outputs() - HANDED_ON
    places = [str(RESOLVER.resolve_pattern(name)["filepath"]) for name in results]

    assert len(places) == 2 * len(GRID.assets) * (len(KINDS) + 1) + 4
    assert len(set(places)) == len(places)


def test_a_model_is_saved_behind_its_walk():
    """Else a killed run could leave a new model beside an old walk."""
    trainings = [
        node for node in PIPELINES["asset_training"].nodes if "train_" in node.name
    ]

    assert trainings
    for node in trainings:
        walk, model, _ = node.outputs
        assert (walk[-5:], model[-6:]) == ("_walk", "_model")


def test_all_is_kept_but_the_objects_of_one_run():
    in_memory = {
        name for name, entry in CATALOG.items() if entry["type"] == "MemoryDataset"
    }
    assert in_memory == IN_MEMORY


def test_an_earlier_result_is_looked_for_where_this_run_leaves_its_own():
    earlier = [
        name
        for name in PIPELINES["asset_training"].inputs()
        if entry_of(name) in EARLIER
    ]

    assert len(earlier) == 2 * len(GRID.assets) * len(KINDS)
    for name in earlier:
        own = name.replace("_earlier", "")
        assert own in PIPELINES["asset_training"].all_outputs()
        places = [RESOLVER.resolve_pattern(n)["filepath"] for n in (name, own)]
        assert places[0] == places[1]


def test_the_ensembles_are_looked_for_where_their_walks_are_left():
    folder = Path(CATALOG["ensemble_walks"]["path"])
    left = RESOLVER.resolve_pattern("DOGE_ensemble_walk")["filepath"]

    assert "DOGE_ensemble_walk" in PIPELINES["asset_training"].all_outputs()
    assert Path(left) == folder / "DOGE" / "ensemble.parquet"


def test_a_signal_looks_for_what_is_at_hand_where_others_have_left_it():
    forecaster = RESOLVER.resolve_pattern("DOGE.ensemble_model")["filepath"]
    dominance = CATALOG["dominance_at_hand"]["filepath"]
    models = Path(CATALOG["serving_models"]["path"])

    assert dominance == CATALOG["dominance"]["filepath"]
    assert Path(forecaster).is_relative_to(models)
    for name in ("brain", "decision_rules"):
        assert Path(CATALOG[name]["filepath"]).is_relative_to(models)


@pytest.mark.parametrize(
    "name",
    [
        *("ingestion", "feature_engineering", "validation"),
        *("global_training", "tuning", "asset_training", "backtest", "signalling"),
    ],
)
def test_a_pipeline_starts_from_what_others_have_kept(name):
    made_before = {
        "ingestion": set(),
        "feature_engineering": PIPELINES["ingestion"].outputs()
        | PIPELINES["ingestion"].all_outputs(),
        "validation": PIPELINES["ingestion"].all_outputs()
        | PIPELINES["feature_engineering"].all_outputs(),
        "global_training": PIPELINES["global_validation"].all_outputs(),
        "tuning": PIPELINES["global_validation"].all_outputs() | BESIDE | GATHERED,
        "asset_training": PIPELINES["ingestion"].all_outputs()
        | PIPELINES["feature_engineering"].all_outputs(),
        "backtest": PIPELINES["global_validation"].all_outputs()
        | {"trial_ledger@read", "return_thresholds@if_any"}
        | GATHERED,
        "signalling": PIPELINES["global_validation"].all_outputs() | AT_HAND,
    }[name]
    inputs = datasets(PIPELINES[name].inputs())
    needed = {each for each in inputs if entry_of(each) not in EARLIER}

    assert needed <= made_before
    assert needed.isdisjoint(IN_MEMORY)


@pytest.mark.parametrize("name", sorted(CATALOG.keys() - BESIDE - EARLIER))
def test_every_dataset_has_a_layer_and_lies_where_it_says(name):
    entry = CATALOG[name]
    layer = entry["metadata"]["kedro-viz"]["layer"]
    path = entry.get("filepath", entry.get("path"))

    assert layer in LAYERS
    if name not in IN_MEMORY:
        # what git keeps lies beside the data
        place = path.replace("${globals:results_folder}", "results/08_reporting")
        assert Path(place).parts[1] == layer
