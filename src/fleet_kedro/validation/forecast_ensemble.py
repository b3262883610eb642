"""The ensemble of an asset's forecasters, walked forward: weights from the past only.

Weights that were fitted on the forecasts they are judged by would look better than
they are. So those of a fold come from the out-of-sample forecasts of earlier folds
whose outcome was known before the fold began. Intervals go on learning inside a fold,
as they would in use: each from the misses whose outcomes were known at its hour. What
came before the first fold is nothing, so there the zero forecast stands in; its misses
teach the first intervals, and the fold is not returned.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.market.epoch import hours_since_epoch
from fleet_kedro.market.schema import BAR
from fleet_kedro.models.conformal import (
    ConformalSettings,
    interval_scale,
    interval_widths,
)
from fleet_kedro.models.ensemble import EnsembleSettings, combine, ensemble_weights

_FEWEST_FOLDS = 2


class EnsembleWalkSettings(Config):
    """How forecasts are combined, and how their intervals are made."""

    horizons: tuple[int, int] = Field(
        strict=False, description="Hours ahead: 1 and the label's horizon."
    )
    weights: EnsembleSettings = EnsembleSettings()
    intervals: ConformalSettings = ConformalSettings()


class EnsembleWalk(NamedTuple):
    """What the walk of an ensemble leaves behind.

    Attributes
    ----------
    forecasts
        A row per usable row of every fold but the first: ``timestamp``, ``fold``,
        ``volatility``, ``close``, and for each horizon ``forecast_{h}h``,
        ``low_{h}h``, ``high_{h}h`` and ``forward_log_return_{h}h``, all log returns,
        and ``weight_{model}_{h}h`` of each model. Ends of an interval are NaN until
        enough outcomes are known.
    production
        What production shall use, from all forecasts; nothing here judges it. A row
        per horizon: ``horizon``, ``weight_{model}`` of each model, ``weight_zero``,
        and ``interval_width``: half the width of an interval, in units of
        ``interval_scale · √h``.
    """

    forecasts: pd.DataFrame
    production: pd.DataFrame


def walk_ensemble(
    walks: Mapping[str, pd.DataFrame], settings: EnsembleWalkSettings
) -> EnsembleWalk:
    """Combine the walks of several models over one asset.

    Parameters
    ----------
    walks
        By model, as `walk_forecaster` leaves them, all over the same rows.

    Raises
    ------
    ValueError
        If the models did not forecast the same rows, or only one fold.
    """
    shared = _shared_rows(walks)
    own = [
        _walk_horizon(shared, walks, horizon, settings) for horizon in settings.horizons
    ]
    is_told = shared["fold"] > shared["fold"].min()
    keys = shared[["timestamp", "fold", "volatility", "close"]]
    return EnsembleWalk(
        pd.concat([keys, *(table for table, _ in own)], axis=1)
        .loc[is_told]
        .reset_index(drop=True),
        pd.DataFrame([production for _, production in own]),
    )


def known_rows(
    rows: pd.DataFrame, fold: int, horizon_bars: int
) -> Bool[np.ndarray, " rows"]:
    """Mark rows of earlier folds whose outcome is known before a fold begins.

    The outcome of row ``t`` is known at ``t + h + 1`` bars, which must lie before the
    fold's first forecast.
    """
    begins = rows.loc[rows["fold"] == fold, "timestamp"].min()
    known_at = rows["timestamp"] + BAR * (horizon_bars + 1)
    return ((rows["fold"] < fold) & (known_at < begins)).to_numpy()


def _shared_rows(walks: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the rows that all models forecast, without what they said."""
    (first, table), *others = walks.items()
    keys = ["timestamp", "fold"]
    for model, other in others:
        if not table[keys].equals(other[keys]):
            raise ValueError(
                f"{model} forecast {len(other)} rows and {first} {len(table)}, not the "
                "same ones: walk all models over the same bars and folds."
            )
    n_folds = table["fold"].nunique()
    if n_folds < _FEWEST_FOLDS:
        raise ValueError(
            f"{n_folds} fold leaves no past to weigh the models by: walk "
            f"{_FEWEST_FOLDS} folds or more, warm-up folds included."
        )
    return table


def _walk_horizon(
    shared: pd.DataFrame,
    walks: Mapping[str, pd.DataFrame],
    horizon: int,
    settings: EnsembleWalkSettings,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the columns of one horizon, and its row for production."""
    said = np.column_stack([walk[f"forecast_{horizon}h"] for walk in walks.values()])
    outcome = shared[f"forward_log_return_{horizon}h"].to_numpy()
    unit = shared["volatility"].to_numpy() * np.sqrt(horizon)

    def weigh(rows: Bool[np.ndarray, " rows"]) -> Float[np.ndarray, " models"]:
        return ensemble_weights(
            said[rows], outcome[rows], unit[rows], horizon, settings.weights
        )

    weights = np.zeros_like(said)
    forecast = np.zeros(len(said))
    for fold in sorted(shared["fold"].unique().tolist())[1:]:
        own = (shared["fold"] == fold).to_numpy()
        weights[own] = weigh(known_rows(shared, fold, horizon))
        forecast[own] = combine(said[own], weights[own][0])
    half, width = _half_widths(shared, outcome - forecast, horizon, settings.intervals)
    final = weigh(np.ones(len(said), dtype=bool))
    return (
        pd.DataFrame(
            {
                f"forecast_{horizon}h": forecast,
                f"low_{horizon}h": forecast - half,
                f"high_{horizon}h": forecast + half,
                f"forward_log_return_{horizon}h": outcome,
                **_named(walks, weights.T, f"_{horizon}h"),
            },
            index=shared.index,
        ),
        {
            "horizon": horizon,
            **_named(walks, final),
            "weight_zero": max(1.0 - float(final.sum()), 0.0),
            "interval_width": width,
        },
    )


def _half_widths(
    shared: pd.DataFrame,
    miss: Float[np.ndarray, " rows"],
    horizon: int,
    settings: ConformalSettings,
) -> tuple[Float[np.ndarray, " rows"], float]:
    """Return half of each interval's width; that of the next in units of its scale."""
    scale = interval_scale(shared["volatility"].to_numpy(), settings) * np.sqrt(horizon)
    hour = hours_since_epoch(shared["timestamp"])
    # One row more, so late that every outcome is known by then: production's.
    widths = interval_widths(
        np.append(np.abs(miss) / scale, np.nan),
        np.append(hour, hour[-1] + horizon + 1),
        horizon,
        settings,
    )
    return widths[:-1] * scale, float(widths[-1])


def _named(
    walks: Mapping[str, pd.DataFrame], weights: Iterable[Any], end: str = ""
) -> dict[str, Any]:
    return {
        f"weight_{model}{end}": weight
        for model, weight in zip(walks, weights, strict=True)
    }
