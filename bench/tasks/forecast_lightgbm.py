"""The next hours of three assets by this project's LightGBM forecaster, as configured.

Walks over feature tables, and writes the spans of the folds for whoever forecasts the
same hours, then its own forecasts beside the closes that came.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from configured import PARAMETERS, configured_folds

from fleet_kedro.models.forecasters.bars import asset_bars
from fleet_kedro.models.forecasters.settings import ForecasterSettings, make_forecaster
from fleet_kedro.validation.forecast_walk import walk_forecaster

ASSETS = ("BTC", "ETH", "SOL")


def log_closes(asset: str) -> pd.Series:
    """Return an asset's log closes by the open time of their hour."""
    candles = pd.read_parquet(work / "candles" / f"{asset}.parquet")
    return pd.Series(np.log(candles["close"].to_numpy()), index=candles["timestamp"])


def forecasts_of(asset: str) -> pd.DataFrame:
    """Return what was said of an asset at every hour, and what came of it."""
    bars = asset_bars(
        pd.read_parquet(work / "features" / f"{asset}.parquet"),
        pd.read_parquet(work / "candles" / f"{asset}.parquet"),
        settings.bars,
    )
    walk = walk_forecaster(lambda: make_forecaster("lightgbm", settings), bars, folds)
    closes = log_closes(asset)
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "asset": asset,
                    "timestamp": walk["timestamp"].dt.tz_localize(None),
                    "hours": hours,
                    "forecast": walk[f"forecast_{hours}h"],
                    "outcome": closes.reindex(
                        walk["timestamp"] + pd.Timedelta(hours=hours)
                    ).to_numpy()
                    - closes.reindex(walk["timestamp"]).to_numpy(),
                }
            )
            for hours in bars.horizons
        ]
    )


work = Path(sys.argv[1])
settings = ForecasterSettings(**PARAMETERS["forecasters"])
hours = log_closes(ASSETS[0]).index
folds = [fold for fold in configured_folds(hours[0], hours[-1]) if fold.is_scored]
plan = {
    "assets": ASSETS,
    "horizon_bars": settings.bars.horizon_bars,
    "folds": [
        {
            "start": fold.validation_start.tz_localize(None).isoformat(),
            "end": fold.validation_end.tz_localize(None).isoformat(),
        }
        for fold in folds
    ],
}
(work / "forecast_plan.json").write_text(json.dumps(plan, indent=2))
pd.concat([forecasts_of(asset) for asset in ASSETS]).to_parquet(
    work / "forecast_lightgbm.parquet"
)
