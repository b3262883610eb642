"""Steps of the walk itself: forecasts, gate, ranks, thresholds and signals."""

import pandas as pd

from fleet_kedro.audit.settings import AuditSettings
from fleet_kedro.audit.step import Law, Step
from fleet_kedro.audit.steps.fits import known_at
from fleet_kedro.audit.world import World

_FORECAST_COLUMNS = {
    "experts": "raw_.*",
    "calibration": "expert_.*",
    "gate": "gate_.*",
    "brain": "probability",
    "rank": "rank",
    "signal": "is_signal",
    "volatility rival": "volatility_only",
}


def walk_steps(settings: AuditSettings) -> list[Step]:
    """Return what a walk forward leaves behind."""
    # Only forecasts with an outcome are listed; a forecast does not use its own.
    late = settings.features.label.last_known_offset_bars
    forecast = Law(listed_late_bars=late, is_fitted=True)
    return [
        *(
            Step(f"walk: {name}", f"walk: {name}", forecasts, columns, forecast)
            for name, columns in _FORECAST_COLUMNS.items()
        ),
        Step(
            "walk: threshold",
            "walk: threshold",
            thresholds,
            "threshold",
            Law(is_fitted=True),
        ),
    ]


def forecasts(world: World) -> pd.DataFrame:
    """Return the scored forecasts."""
    return world.walk.forecasts


def thresholds(world: World) -> pd.DataFrame:
    """Return each fold's thresholds, by asset."""
    chosen = (
        world.walk.forecasts.groupby(["fold", "asset"])["threshold"]
        .first()
        .reset_index()
    )
    known = {fold.number: known_at(fold, world) for fold in world.folds()}
    return chosen.assign(timestamp=chosen["fold"].map(known))
