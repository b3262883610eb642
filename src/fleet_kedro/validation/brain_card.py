"""What is told of the final brain: how its like fared in the walk, and the verdict."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from fleet_kedro.features.recipe import IN_CARD, FeatureRecipe
from fleet_kedro.models.brain_files import brain_to_files, n_parameters
from fleet_kedro.models.trained_brain import TrainedBrain
from fleet_kedro.signals.decision_rules import FORECASTS
from fleet_kedro.splits.walk_forward import Fold
from fleet_kedro.store.bundle import StoredModel
from fleet_kedro.store.card import (
    CardVerdict,
    DataUsed,
    Metric,
    ModelCard,
    library_versions,
)
from fleet_kedro.validation.brain_training import Lesson
from fleet_kedro.validation.walk_forward import WalkSettings

NAME = "global-brain"
LIBRARIES = ("lightgbm", "numpy", "scikit-learn", "scipy", "torch")
ALWAYS_LONG = "always long"


class BrainOrigin(NamedTuple):
    """Where a brain comes from.

    Attributes
    ----------
    source
        Which data, in words.
    window
        What it learnt from; see `whole_window`.
    end
        Open time of the window's last bar, with which the last outcome is known.
    recipe
        How the features were made that it learnt from.
    summary
        What the validation on the same window has told; see `summarise` of the reports.
    """

    source: str
    window: Fold
    end: pd.Timestamp
    settings: WalkSettings
    recipe: FeatureRecipe
    lesson: Lesson
    summary: Mapping[str, Any]


def store_brain(brain: TrainedBrain, origin: BrainOrigin) -> StoredModel:
    """Return a brain as the store keeps it, with its card.

    Raises
    ------
    ValueError
        If the validation speaks of other data or of another window.
    """
    _check_summary(origin)
    files = brain_to_files(brain)
    summary, settings = origin.summary, origin.settings
    card = ModelCard(
        name=NAME,
        kind="brain",
        assets=brain.assets,
        libraries=library_versions(*LIBRARIES),
        parameters={
            "brain": settings.brain.model_dump(mode="json"),
            "thresholds": settings.thresholds.model_dump(mode="json"),
            "signals": len(brain.signals),
            FORECASTS: origin.lesson.forecasts,
            IN_CARD: origin.recipe.to_json(),
        },
        data=DataUsed(
            source=origin.source,
            start=origin.window.train_start.to_pydatetime(),
            end=origin.end.to_pydatetime(),
            rows=origin.lesson.n_rows,
            sha256=origin.lesson.sha256,
        ),
        folds=len(summary["folds"]),
        metrics=_metrics(summary),
        verdict=CardVerdict.of(summary["verdict"]["criteria"]),
        trials=summary["overfitting"]["n_trials"],
        n_parameters=n_parameters(brain),
    )
    return StoredModel(card.naming(files), files)


def _metrics(summary: Mapping[str, Any]) -> tuple[Metric, ...]:
    """Return means over the assets, each beside what is had without any skill."""
    overall = summary["overall"]
    long = next(row for row in summary["rivals"] if row["name"] == ALWAYS_LONG)

    def interval(name: str) -> dict[str, float | None]:
        return {end: overall[f"{name}_{end}"] for end in ("low", "high")}

    return (
        Metric(
            name="mean precision",
            value=overall["precision"],
            null=overall["base_rate"],
            null_name="base rate",
            unit="percent",
            **interval("precision"),
        ),
        Metric(
            name="lift over volatility-only",
            value=overall["lift_over_volatility"],
            null=0.0,
            null_name="the volatility-only model",
            unit="points",
            **interval("lift_over_volatility"),
        ),
        Metric(
            name="net return per signal",
            value=overall["net_return"],
            null=long["net_return"],
            null_name=ALWAYS_LONG,
            unit="basis points",
            **interval("net_return"),
        ),
    )


def _check_summary(origin: BrainOrigin) -> None:
    facts = origin.summary["facts"]
    told = (facts["source"], pd.Timestamp(facts["end"]))
    if told != (origin.source, origin.end):
        raise ValueError(
            f"The validation is of {told[0]} up to {told[1]}, but the brain of "
            f"{origin.source} up to {origin.end}: validate on this window first."
        )
