"""What is told of decision rules: what taught them, and what they are worth."""

from typing import NamedTuple

import pandas as pd

from fleet_kedro.signals.calibrated_return import CalibratedReturn, CalibrationSettings
from fleet_kedro.signals.comparison import FLEET
from fleet_kedro.signals.decision_rules import (
    FORECASTS,
    NAME,
    DecisionRules,
    rules_to_files,
)
from fleet_kedro.signals.production_curves import ProductionCurves
from fleet_kedro.signals.return_tuning import FactorSearch
from fleet_kedro.signals.study import StudySettings
from fleet_kedro.store.bundle import StoredModel
from fleet_kedro.store.card import (
    CardVerdict,
    Criterion,
    DataUsed,
    Metric,
    ModelCard,
    library_versions,
)

LIBRARIES = ("numpy", "optuna", "pandas", "scikit-learn")


class RulesOrigin(NamedTuple):
    """Where decision rules come from.

    Attributes
    ----------
    source
        Which data, in words.
    forecasts
        The walk that they were learnt from.
    comparison
        Tuned thresholds beside the default ones, as `compare_factors` leaves it.
    trials
        How many thresholds were tried.
    """

    source: str
    forecasts: pd.DataFrame
    curves: ProductionCurves
    comparison: pd.DataFrame
    trials: int
    calibration: CalibrationSettings
    tuning: StudySettings
    search: FactorSearch


def store_rules(rules: DecisionRules, origin: RulesOrigin) -> StoredModel:
    """Return rules as the store keeps them, with their card."""
    files = rules_to_files(rules)
    curves, stamps = origin.curves, origin.forecasts["timestamp"]
    studies = origin.tuning.model_dump(mode="json", include=_study_fields())
    card = ModelCard(
        name=NAME,
        kind="decision rules",
        assets=tuple(sorted(curves.calibrated.assets)),
        libraries=library_versions(*LIBRARIES),
        parameters={
            FORECASTS: rules.curves.forecasts,
            "record": {
                "rows": curves.rows,
                "weeks": curves.weeks,
                "kept_share": curves.calibrated.kept_share,
            },
            "calibration": origin.calibration.model_dump(mode="json"),
            "tuning": studies | origin.search.model_dump(mode="json"),
            "tuned_for": rules.thresholds.tuned_for.model_dump(mode="json"),
        },
        data=DataUsed(
            source=origin.source,
            start=stamps.min().to_pydatetime(),
            end=stamps.max().to_pydatetime(),
            rows=curves.rows,
            sha256=rules.curves.forecasts,
        ),
        folds=int(origin.forecasts["fold"].nunique()),
        metrics=_metrics(origin),
        verdict=_verdict(curves.calibrated),
        trials=origin.trials,
        n_parameters=_n_parameters(rules),
    )
    return StoredModel(card.naming(files), files)


def _metrics(origin: RulesOrigin) -> tuple[Metric, ...]:
    kept = Metric(
        name="kept share of what was promised",
        value=origin.curves.calibrated.kept_share,
        null=0.0,
        null_name="no skill",
        unit="percent",
    )
    fleet = origin.comparison.loc[origin.comparison["asset"] == FLEET]
    if fleet.empty:
        return (kept,)
    row = fleet.iloc[0]
    return (
        kept,
        Metric(
            name="net return per trade, default thresholds",
            value=float(row["default_net_return"]),
            null=0.0,
            null_name="no trade",
            unit="basis points",
        ),
        Metric(
            name="gain per trade of tuned thresholds",
            value=float(row["gain"]),
            null=0.0,
            null_name="default thresholds",
            unit="basis points",
            low=float(row["gain_low"]),
            high=float(row["gain_high"]),
        ),
    )


def _verdict(calibrated: CalibratedReturn) -> CardVerdict:
    """Pass curves that expect anything at all."""
    kept = calibrated.kept_share
    return CardVerdict.of(
        [
            Criterion(
                name="kept share above zero",
                value=kept,
                bound=0.0,
                unit="percent",
                passed=kept > 0.0,
                detail="of what held-out curves promised, shrunk by its doubt",
            ).model_dump()
        ]
    )


def _n_parameters(rules: DecisionRules) -> int:
    curves = rules.curves.curves
    numbers = 1  # the kept share
    for curve in (curves.fleet, *curves.assets.values()):
        numbers += len(curve.knots) + len(curve.values) + 2  # and the interval's ends
    return numbers + sum(
        own.factor is not None for own in rules.thresholds.assets.values()
    )


def _study_fields() -> set[str]:
    return set(StudySettings.model_fields)
