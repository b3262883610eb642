"""The next hours of three assets by mlforecast with LightGBM, as its guide sets it up.

Runs in an environment of its own, so it imports nothing of the project. Reads candles
and the spans of the folds, and writes what it says of the closes to come: every H hours
of a validation span a forecast is made, by one model per fold that was fitted on all
series before it.
"""

import json
import sys
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
from mlforecast import MLForecast
from mlforecast.lag_transforms import RollingMean, RollingStd
from mlforecast.target_transforms import Differences

work = Path(sys.argv[1])
plan = json.loads((work / "forecast_plan.json").read_text())
horizon = plan["horizon_bars"]


def read(asset: str) -> pd.DataFrame:
    """Return the log closes of one asset on an hourly grid without holes."""
    candles = pd.read_parquet(work / "candles" / f"{asset}.parquet")
    hours = pd.DatetimeIndex(candles["timestamp"]).tz_localize(None).as_unit("ns")
    close = pd.Series(np.log(candles["close"].to_numpy()), index=hours)
    grid = pd.date_range(hours[0], hours[-1], freq="h")
    return pd.DataFrame(
        {"unique_id": asset, "ds": grid, "y": close.reindex(grid).ffill().to_numpy()}
    )


series = pd.concat([read(asset) for asset in plan["assets"]], ignore_index=True)
model = MLForecast(
    models={"lightgbm": lgb.LGBMRegressor(verbosity=-1, n_jobs=1)},
    freq="h",
    lags=[*range(1, 25), 48, 72, 168],
    lag_transforms={
        1: [RollingMean(24), RollingStd(24), RollingMean(168), RollingStd(168)]
    },
    date_features=["hour", "dayofweek"],
    target_transforms=[Differences([1])],
    num_threads=1,
)
told = []
for fold in plan["folds"]:
    start, end = (pd.Timestamp(fold[name]) for name in ("start", "end"))
    n_windows = int((end - start) / pd.Timedelta(hours=horizon)) - 1
    known = series[series["ds"] < start + n_windows * pd.Timedelta(hours=horizon)]
    said = model.cross_validation(
        known,
        n_windows=n_windows,
        h=horizon,
        step_size=horizon,
        refit=False,
        static_features=[],
    )
    told.append(
        said.merge(
            series.rename(columns={"ds": "cutoff", "y": "origin"}),
            on=["unique_id", "cutoff"],
        )
    )
everything = pd.concat(told, ignore_index=True)
hours = (everything["ds"] - everything["cutoff"]) / pd.Timedelta(hours=1)
pd.DataFrame(
    {
        "asset": everything["unique_id"],
        "timestamp": everything["cutoff"],
        "hours": hours.astype(int),
        "forecast": everything["lightgbm"] - everything["origin"],
        "outcome": everything["y"] - everything["origin"],
    }
).to_parquet(work / "forecast_mlforecast.parquet")
