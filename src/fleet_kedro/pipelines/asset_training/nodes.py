"""Lay out one asset, train its forecasters, combine them, measure, tell."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from fleet_kedro.market.errors import MarketError
from fleet_kedro.models.forecasters.bars import AssetBars, asset_bars
from fleet_kedro.models.forecasters.kinds import Kind
from fleet_kedro.models.forecasters.settings import ForecasterSettings
from fleet_kedro.reports.figures.forecasters import draw_forecasters
from fleet_kedro.reports.forecast_page import JudgedForecasters, render_forecasters
from fleet_kedro.reports.forecast_summary import summarise_forecasters
from fleet_kedro.reports.forecast_table import forecast_lines
from fleet_kedro.reports.forecaster_progress import ForecasterProgress
from fleet_kedro.splits.walk_forward import WalkForward
from fleet_kedro.store.bundle import StoredModel
from fleet_kedro.validation.ensemble_card import EnsembleOrigin, store_ensemble
from fleet_kedro.validation.forecast_ensemble import (
    EnsembleWalk,
    EnsembleWalkSettings,
    walk_ensemble,
)
from fleet_kedro.validation.forecast_telemetry import measure_forecasters
from fleet_kedro.validation.forecaster_training import (
    TrainingJob,
    job_fingerprint,
    train_forecaster,
)
from fleet_kedro.validation.settings import ReportSettings

logger = logging.getLogger(__name__)
report_logger = logging.getLogger("fleet_kedro.report")

Partitions = Mapping[str, Callable[[], pd.DataFrame]]


def lay_out_bars(
    features: Partitions,
    candles: Partitions,
    fleet_window: dict[str, Any],
    settings: ForecasterSettings,
    *,
    asset: str,
) -> AssetBars:
    """Lay one asset's features beside its candles, for use from the window's start.

    Older candles only fill the windows of features.

    Raises
    ------
    MarketError
        If the asset has no features.
    """
    if asset not in features:
        raise MarketError(
            f"The asset {asset!r} is to get forecasters, but there are features only "
            f"of {', '.join(sorted(features))}; correct forecast_assets, or add it to "
            "assets and build the features."
        )
    bars = asset_bars(features[asset](), candles[asset](), settings.bars)
    is_inside = bars.timestamp >= pd.Timestamp(fleet_window["start"])
    return bars._replace(is_usable=bars.is_usable & is_inside)


def train(
    bars: AssetBars,
    fleet_window: dict[str, Any],
    walk: WalkForward,
    settings: ForecasterSettings,
    report: ReportSettings,
    earlier_model: StoredModel | None,
    earlier_walk: pd.DataFrame | None,
    *,
    asset: str,
    kind: Kind,
) -> tuple[pd.DataFrame, StoredModel, float]:
    """Train one forecaster, or keep the one that an earlier run finished.

    The third output is how many seconds it took; NaN for one that was kept.
    """
    window = (pd.Timestamp(fleet_window[edge]) for edge in ("start", "end"))
    folds = walk.split(*window)
    job = TrainingJob(
        asset, kind, fleet_window["source"], folds, settings, report.bootstrap
    )
    if (
        earlier_model is not None
        and earlier_walk is not None
        and earlier_model.card.fingerprint == job_fingerprint(job, bars)
    ):
        logger.info("%s %s: kept, as nothing it depends on changed.", asset, kind)
        return earlier_walk, earlier_model, float("nan")
    started = time.perf_counter()
    with ForecasterProgress(asset, kind, len(folds) + 1) as progress:
        trained = train_forecaster(job, bars, progress)
    return trained.walk, trained.model, time.perf_counter() - started


def combine(
    settings: EnsembleWalkSettings,
    report: ReportSettings,
    *,
    asset: str,
    **walks: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Combine an asset's forecasters, and measure all of them beside zero.

    Returns the ensemble's walk, what production shall use, and the scores.
    """
    ensemble = walk_ensemble(walks, settings)
    scores = measure_forecasters(asset, walks, ensemble, report.bootstrap)
    return ensemble.forecasts, ensemble.production.assign(asset=asset), scores


def keep_ensemble(
    walk: pd.DataFrame,
    production: pd.DataFrame,
    fleet_window: dict[str, Any],
    feature_recipe: dict[str, Any],
    forecasters: ForecasterSettings,
    settings: EnsembleWalkSettings,
    report: ReportSettings,
    *,
    asset: str,
    kinds: Sequence[Kind],
    **trained: StoredModel,
) -> StoredModel:
    """Make a model of the ensemble: weights, and the very models that they weigh."""
    origin = EnsembleOrigin(
        asset,
        fleet_window["source"],
        feature_recipe,
        forecasters.bars,
        settings,
        report.bootstrap,
    )
    members: dict[str, StoredModel] = {kind: trained[f"{kind}_model"] for kind in kinds}
    return store_ensemble(EnsembleWalk(walk, production), members, origin)


def weigh(*, asset: str, kinds: Sequence[Kind], **trained: Any) -> pd.DataFrame:
    """Tell what an asset's models cost: numbers, bytes, seconds."""
    return pd.DataFrame(
        [
            {
                "asset": asset,
                "model": kind,
                "seconds": trained[f"{kind}_seconds"],
                "n_parameters": trained[f"{kind}_model"].card.n_parameters,
                "n_bytes": trained[f"{kind}_model"].card.size_bytes,
            }
            for kind in kinds
        ]
    )


def tell(
    fleet_window: dict[str, Any],
    settings: EnsembleWalkSettings,
    *,
    assets: Sequence[str],
    **tables: pd.DataFrame,
) -> tuple[pd.DataFrame, dict[str, Any], str]:
    """Tell of all assets, on the console, for a machine and as a page.

    Seconds differ from run to run, so they are told on the console alone.
    """
    scores, production, costs = (
        pd.concat([tables[f"{asset}_{part}"] for asset in assets], ignore_index=True)
        for part in ("scores", "production", "costs")
    )
    walks = {asset: tables[f"{asset}_walk"] for asset in assets}
    report_logger.info("\n".join(forecast_lines(scores, costs)))
    sizes = costs.drop(columns="seconds")
    judged = JudgedForecasters(scores, production, sizes, fleet_window["source"])
    figures = draw_forecasters(scores, production, walks, settings.intervals.coverage)
    return (
        scores,
        summarise_forecasters(judged),
        render_forecasters(judged, settings, figures),
    )
