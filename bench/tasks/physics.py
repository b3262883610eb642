"""The six physics numbers of all assets, as the project computes them."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from fleet_kedro.features.physics import Physics, physics_features

for file in sorted((Path(sys.argv[1]) / "candles").glob("*.parquet")):
    log_close = np.log(pd.read_parquet(file, columns=["close"])["close"].to_numpy())
    physics_features(log_close, np.diff(log_close, prepend=np.nan), Physics())
