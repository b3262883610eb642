"""What is told of an ensemble: its members, and its errors beside the zero ones."""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd
from pydantic import JsonValue

from fleet_kedro.market.epoch import hours_since_epoch
from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.models.forecasters.bars import BarSettings
from fleet_kedro.signals.ensemble_rule import (
    KIND,
    EnsembleRule,
    Reading,
    model_name,
    rule_to_files,
)
from fleet_kedro.store.bundle import StoredModel
from fleet_kedro.store.card import DataUsed, ModelCard, library_versions
from fleet_kedro.store.fingerprint import array_hash
from fleet_kedro.validation.forecast_ensemble import EnsembleWalk, EnsembleWalkSettings
from fleet_kedro.validation.forecaster_card import judge_forecaster, score_walk

LIBRARIES = ("numpy", "pandas", "scipy")


class EnsembleOrigin(NamedTuple):
    """Where an ensemble comes from: its asset, its data in words, how it is made."""

    asset: str
    source: str
    recipe: Mapping[str, JsonValue]
    bars: BarSettings
    settings: EnsembleWalkSettings
    bootstrap: BlockBootstrap


def store_ensemble(
    walk: EnsembleWalk, members: Mapping[str, StoredModel], origin: EnsembleOrigin
) -> StoredModel:
    """Return an ensemble as the store keeps it, with its card.

    Parameters
    ----------
    walk
        As `walk_ensemble` leaves it.
    members
        All models that it combines, by kind.
    """
    reading = Reading(
        recipe=dict(origin.recipe),
        bars=origin.bars,
        intervals=origin.settings.intervals,
    )
    rule = EnsembleRule.of(walk.production, members, reading)
    files = rule_to_files(rule)
    told = walk.forecasts
    metrics = score_walk(told, origin.settings.horizons, origin.bootstrap)
    card = ModelCard(
        name=model_name(origin.asset),
        kind=KIND,
        assets=(origin.asset,),
        libraries=library_versions(*LIBRARIES),
        parameters={
            "members": dict(rule.members),
            "settings": origin.settings.model_dump(mode="json"),
        },
        data=DataUsed(
            source=origin.source,
            start=told["timestamp"].min().to_pydatetime(),
            end=told["timestamp"].max().to_pydatetime(),
            rows=len(told),
            sha256=_digest(told),
        ),
        folds=int(told.loc[told["fold"] >= 1, "fold"].nunique()),
        metrics=metrics,
        verdict=judge_forecaster(metrics),
        n_parameters=sum(len(each.weights) + 1 for each in rule.horizons),
    )
    return StoredModel(card.naming(files), files)


def _digest(walk: pd.DataFrame) -> str:
    numbers = walk.drop(columns="timestamp")
    return array_hash(
        {"hour": hours_since_epoch(walk["timestamp"])}
        | {str(name): numbers[name].to_numpy() for name in numbers.columns}
    )
