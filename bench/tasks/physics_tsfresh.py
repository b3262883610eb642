"""Two of the same numbers with tsfresh, for the last windows of one asset only.

Runs in an environment of its own, which knows nothing of the project.
"""

import sys
from pathlib import Path

import pandas as pd
from tsfresh import extract_features
from tsfresh.utilities.dataframe_functions import roll_time_series

WINDOW_BARS = 200
CALCULATORS = {
    "permutation_entropy": [{"tau": 1, "dimension": 3}],
    "autocorrelation": [{"lag": 1}],
}

n_windows = int(sys.argv[2])
own = pd.read_parquet(
    Path(sys.argv[1]) / "candles" / "BTC.parquet",
    columns=["timestamp", "asset", "close"],
)
change = own.assign(value=own["close"].pct_change())[["asset", "timestamp", "value"]]
rolled = roll_time_series(
    change.tail(n_windows + WINDOW_BARS - 1),
    column_id="asset",
    column_sort="timestamp",
    min_timeshift=WINDOW_BARS - 1,
    max_timeshift=WINDOW_BARS - 1,
    n_jobs=0,
    disable_progressbar=True,
)
extract_features(
    rolled.drop(columns="asset"),
    column_id="id",
    column_sort="timestamp",
    default_fc_parameters=CALCULATORS,
    n_jobs=0,
    disable_progressbar=True,
)
