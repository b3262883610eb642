"""The refiner's job as scikit-learn does it: stack, standardise, cluster, PCA.

One fold only, the last and largest: all rows of all assets are in memory with all their
lags. Tensor talk, sign stability and the choice of latents are left out.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.cluster import AgglomerativeClustering
from sklearn.decomposition import PCA

from fleet_kedro.features.catalogue import catalogue
from fleet_kedro.features.lags import complete_rows, lagged_rows

N_CLUSTERS = 60

files = sorted((Path(sys.argv[1]) / "features").glob("*.parquet"))
names = [signal.name for signal in catalogue("full")]
stacked = []
for file in files:
    table = pd.read_parquet(file)
    signals = table[names].to_numpy(dtype=np.float32)
    complete = np.flatnonzero(complete_rows(signals, table["segment"].to_numpy()))
    rows = lagged_rows(signals, complete)
    deviation = rows.std(axis=0)
    stacked.append((rows - rows.mean(axis=0)) / np.where(deviation > 0, deviation, 1))
features = np.concatenate(stacked)
del stacked
correlation = np.nan_to_num(np.corrcoef(features, rowvar=False))
clusters = AgglomerativeClustering(
    N_CLUSTERS, metric="precomputed", linkage="average"
).fit_predict(1 - np.abs(correlation))
for cluster in range(N_CLUSTERS):
    PCA(0.95, svd_solver="full").fit(features[:, clusters == cluster])
