"""Who erred how much, on the hours that both forecast: RMSE beside zero's."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

work = Path(sys.argv[1])
keys = ["asset", "timestamp", "hours"]
ours, theirs = (
    pd.read_parquet(work / f"forecast_{name}.parquet")
    for name in ("lightgbm", "mlforecast")
)
both = ours.merge(theirs, on=keys, suffixes=("_ours", "_theirs")).dropna()


def rmse(missed: pd.Series) -> float:
    """Return the root mean square."""
    return float(np.sqrt(np.mean(np.square(missed))))


errors = [
    {
        "asset": asset,
        "hours": int(hours),
        "forecasts": len(own),
        "zero": rmse(own["outcome_ours"]),
        "lightgbm": rmse(own["forecast_ours"] - own["outcome_ours"]),
        "mlforecast": rmse(own["forecast_theirs"] - own["outcome_ours"]),
    }
    for (asset, hours), own in both.groupby(["asset", "hours"])
]
(work / "forecast_errors.json").write_text(json.dumps(errors, indent=2) + "\n")
