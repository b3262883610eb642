"""One forecaster, walked forward over one asset: every forecast out of sample."""

import logging
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Int64

from fleet_kedro.market.schema import BAR
from fleet_kedro.models.forecasters.bars import AssetBars
from fleet_kedro.models.forecasters.base import Forecaster, OnProgress
from fleet_kedro.splits.walk_forward import Fold

logger = logging.getLogger(__name__)

FEWEST_ROWS = 200
"""Labelled rows of a training span, below which a fold is skipped."""


def walk_forecaster(
    forecaster_factory: Callable[[], Forecaster],
    bars: AssetBars,
    folds: Sequence[Fold],
    on_progress: OnProgress | None = None,
) -> pd.DataFrame:
    """Fit a new forecaster for every fold, and forecast the fold's validation span.

    It learns from the labelled rows of the fold's training span, whose outcomes are
    all known before the first forecast. A fold is skipped, with a line in the log,
    when the asset is too young for it or has less than ``FEWEST_ROWS`` such rows.

    Parameters
    ----------
    folds
        Warm-up folds and scored ones, in time order.
    on_progress
        Handed to every ``fit``, so its steps begin anew with each fold.

    Returns
    -------
    pandas.DataFrame
        A row per usable row of a validation span, in time order: ``timestamp``,
        ``fold``, for each horizon ``forecast_{h}h`` and ``forward_log_return_{h}h``
        (NaN where it is not known), ``volatility`` of an hour, and ``close``.

    Raises
    ------
    ValueError
        If a fold trains on rows whose outcomes reach its validation span.
    """
    walked = [
        _forecast_fold(forecaster_factory, bars, fold, on_progress)
        for fold in folds
        if _takes_part(bars, fold)
    ]
    return pd.concat([_laid_out(bars, np.arange(0), 0), *walked], ignore_index=True)


def fit_final(
    forecaster_factory: Callable[[], Forecaster],
    bars: AssetBars,
    on_progress: OnProgress | None = None,
) -> Forecaster:
    """Fit the forecaster that goes to production, on every labelled row.

    Raises
    ------
    ValueError
        If there are less than ``FEWEST_ROWS`` of them.
    """
    rows = np.flatnonzero(bars.is_labelled)
    if len(rows) < FEWEST_ROWS:
        raise ValueError(
            f"{len(rows)} labelled rows are too few to learn from; at least "
            f"{FEWEST_ROWS} are needed: give a longer window."
        )
    return forecaster_factory().fit(bars, rows, on_progress)


def training_rows(bars: AssetBars, fold: Fold) -> Int64[np.ndarray, " rows"]:
    """Return the rows that a fold's forecaster learns from."""
    return np.flatnonzero(bars.is_labelled & fold.trains_on(bars.timestamp))


def _takes_part(bars: AssetBars, fold: Fold) -> bool:
    _check_purge(bars, fold)
    first = bars.timestamp[0]
    if not fold.admits(first):
        logger.info("Fold %d skipped: the first candle is of %s.", fold.number, first)
        return False
    n_rows = len(training_rows(bars, fold))
    if n_rows < FEWEST_ROWS:
        logger.info(
            "Fold %d skipped: %d labelled rows to learn from, %d are needed.",
            *(fold.number, n_rows, FEWEST_ROWS),
        )
        return False
    return True


def _check_purge(bars: AssetBars, fold: Fold) -> None:
    """Refuse a split that was made for a shorter horizon."""
    kept_empty = int((fold.validation_start - fold.train_end) / BAR)
    needed = max(bars.horizons) + 1
    if kept_empty < needed:
        raise ValueError(
            f"Fold {fold.number} keeps {kept_empty} bars empty before its validation "
            f"span; outcomes of {max(bars.horizons)} h need {needed}: split with the "
            "same horizon."
        )


def _forecast_fold(
    forecaster_factory: Callable[[], Forecaster],
    bars: AssetBars,
    fold: Fold,
    on_progress: OnProgress | None,
) -> pd.DataFrame:
    asked = np.flatnonzero(bars.is_usable & fold.validates_on(bars.timestamp))
    table = _laid_out(bars, asked, fold.number)
    if not len(asked):
        return table
    learnt = training_rows(bars, fold)
    forecaster = forecaster_factory().fit(bars, learnt, on_progress)
    said = forecaster.predict(bars, asked).astype(np.float64)
    return table.assign(
        **{
            f"forecast_{horizon}h": said[:, column]
            for column, horizon in enumerate(bars.horizons)
        }
    )


def _laid_out(
    bars: AssetBars, rows: Int64[np.ndarray, " rows"], fold: int
) -> pd.DataFrame:
    """Lay out rows of a fold that nobody has forecast yet."""
    columns = {
        f"forecast_{horizon}h": np.full(len(rows), np.nan) for horizon in bars.horizons
    } | {
        f"forward_log_return_{horizon}h": bars.target[rows, column]
        for column, horizon in enumerate(bars.horizons)
    }
    return pd.DataFrame(
        {
            "timestamp": bars.timestamp[rows],
            "fold": np.full(len(rows), fold, dtype=np.int8),
            **columns,
            "volatility": bars.volatility[rows],
            "close": bars.close[rows],
        }
    )
