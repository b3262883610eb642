"""The six physics numbers of all assets, as the project computes them."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from fleet_kedro.features.physics import Physics, physics_features

candles = pd.read_parquet(Path(sys.argv[1]) / "candles.parquet")
for _, own in candles.groupby("asset"):
    log_close = np.log(own["close"].to_numpy())
    physics_features(log_close, np.diff(log_close, prepend=np.nan), Physics())
