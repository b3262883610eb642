"""Wiring of the forecasters: a namespace for each asset, a node for each model."""

from typing import Any

from kedro.pipeline import Pipeline, node
from kedro.pipeline.node import Node

from fleet_kedro.models.forecasters.kinds import Kind
from fleet_kedro.pipelines.asset_training.nodes import (
    combine,
    keep_ensemble,
    lay_out_bars,
    tell,
    train,
    weigh,
)
from fleet_kedro.pipelines.bound import Bound
from fleet_kedro.pipelines.forecaster_grid import ForecasterGrid, configured_grid
from fleet_kedro.pipelines.step import step
from fleet_kedro.reports.followed.forecasters import follow_forecasters

_RULES = ["fleet_window", "params:walk_forward", "params:forecasters", "params:report"]


def create_pipeline(grid: ForecasterGrid | None = None, **_: object) -> Pipeline:
    """Feature tables to trained forecasters, ensembles and their report.

    Every asset of the grid is a namespace, so `kedro run --namespaces BTC` trains one.
    """
    grid = grid or configured_grid.get()
    nodes = [made for asset in grid.assets for made in _of_asset(asset, grid.models)]
    followed = step(follow_forecasters, ["forecaster_summary"], "forecaster_metrics")
    return Pipeline([*nodes, _report(grid), followed], tags="asset_training")


def _of_asset(asset: str, kinds: tuple[Kind, ...]) -> list[Node]:
    return [
        _step(
            asset,
            Bound(lay_out_bars, asset=asset),
            ["features", "clean_candles", "fleet_window", "params:forecasters"],
            f"{asset}.bars",
        ),
        *(_training(asset, kind) for kind in kinds),
        _step(
            asset,
            Bound(combine, asset=asset),
            {
                "settings": "params:ensemble",
                "report": "params:report",
                **{kind: f"{asset}.{kind}_walk" for kind in kinds},
            },
            [f"{asset}_ensemble_{part}" for part in ("walk", "production", "scores")],
        ),
        _step(
            asset,
            Bound(keep_ensemble, asset=asset, kinds=kinds),
            {
                "walk": f"{asset}_ensemble_walk",
                "production": f"{asset}_ensemble_production",
                "fleet_window": "fleet_window",
                "feature_recipe": "feature_recipe",
                "forecasters": "params:forecasters",
                "settings": "params:ensemble",
                "report": "params:report",
                **{f"{kind}_model": f"{asset}.{kind}_model" for kind in kinds},
            },
            f"{asset}.ensemble_model",
        ),
        _step(
            asset,
            Bound(weigh, asset=asset, kinds=kinds),
            {
                name: f"{asset}.{name}"
                for kind in kinds
                for name in (f"{kind}_model", f"{kind}_seconds")
            },
            f"{asset}_ensemble_costs",
        ),
    ]


def _training(asset: str, kind: Kind) -> Node:
    """Train a model; saved behind its walk, it never stands beside a wrong one."""
    own = f"{asset}.{kind}"
    return _step(
        asset,
        Bound(train, asset=asset, kind=kind),
        [f"{asset}.bars", *_RULES, f"{own}_earlier_model", f"{own}_earlier_walk"],
        [f"{own}_walk", f"{own}_model", f"{own}_seconds"],
        name=f"train_{kind}",
    )


def _report(grid: ForecasterGrid) -> Node:
    """One node that tells of all assets: their tables come side by side."""
    tables = {
        f"{asset}_{part}": f"{asset}_ensemble_{part}"
        for asset in grid.assets
        for part in ("walk", "production", "scores", "costs")
    }
    return node(
        Bound(tell, assets=grid.assets),
        {"fleet_window": "fleet_window", "settings": "params:ensemble", **tables},
        ["forecaster_scores", "forecaster_summary", "forecaster_page"],
        name="tell",
    )


def _step(
    asset: str, function: Bound, inputs: Any, outputs: Any, name: str = ""
) -> Node:
    """Make a node in the asset's namespace, named after its function."""
    return node(
        function, inputs, outputs, name=name or function.__name__, namespace=asset
    )
