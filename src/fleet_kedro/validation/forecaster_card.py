"""What is told of a forecaster: errors out of sample, beside the zero forecast's."""

from collections.abc import Sequence

import pandas as pd

from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.store.card import CardVerdict, Criterion, Metric
from fleet_kedro.validation.forecast_skill import measure_skill


def score_walk(
    walk: pd.DataFrame, horizons: Sequence[int], bootstrap: BlockBootstrap
) -> tuple[Metric, ...]:
    """Return root mean square error and skill of a walk's scored folds, by horizon.

    Skill is ``1 - RMSE / RMSE of the zero forecast``, a fraction.
    """
    scored = walk.loc[walk["fold"] >= 1]
    return tuple(
        metric for horizon in horizons for metric in _score(scored, horizon, bootstrap)
    )


def judge_forecaster(metrics: Sequence[Metric]) -> CardVerdict:
    """Pass a forecaster whose skill lies above zero at every horizon, beyond noise."""
    criteria = tuple(
        Criterion(
            name=f"{metric.name} above zero",
            value=metric.low,
            bound=0.0,
            unit="percent",
            passed=metric.low is not None and metric.low > 0.0,
            detail="lower end of the block bootstrap's interval",
        )
        for metric in metrics
        if metric.name.startswith("skill")
    )
    return CardVerdict(
        passed=all(criterion.passed for criterion in criteria), criteria=criteria
    )


def _score(
    scored: pd.DataFrame, horizon: int, bootstrap: BlockBootstrap
) -> tuple[Metric, Metric]:
    known = scored.dropna(subset=[f"forward_log_return_{horizon}h"])
    forecast = known[f"forecast_{horizon}h"].to_numpy()
    errors, low, high = measure_skill(forecast, known, horizon, bootstrap)
    null = "zero forecast"
    return (
        Metric(
            name=f"RMSE {horizon} h",
            value=errors.rmse,
            null=errors.zero_rmse,
            null_name=null,
            unit="percent",
        ),
        Metric(
            name=f"skill {horizon} h",
            value=errors.skill,
            null=0.0,
            null_name=null,
            unit="percent",
            low=low,
            high=high,
        ),
    )
