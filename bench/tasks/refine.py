"""Feature tables to the latents of all folds, on disk: Tensor-Flex, one pass each."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from fleet_kedro.features.catalogue import catalogue
from fleet_kedro.models.fleet_rows import learnable_rows
from fleet_kedro.models.rows import read_features
from fleet_kedro.refine.fleet import FleetRefinement
from fleet_kedro.refine.tensor_flex import TensorFlexRefiner
from fleet_kedro.splits.walk_forward import WalkForward

PATTERN_BARS = 64
COST = 0.002

work = Path(sys.argv[1])
files = sorted((work / "features").glob("*.parquet"))
signals = catalogue("full")
names = [signal.name for signal in signals]
hours = pd.read_parquet(files[0], columns=["timestamp"])["timestamp"]
walk = WalkForward(
    folds=5, warmup_folds=2, horizon_bars=12, embargo_bars=24, mode="expanding"
)
folds = [fold for fold in walk.split(hours.min(), hours.max()) if fold.is_scored]
refinement = FleetRefinement(
    folds,
    np.array([signal.is_flag for signal in signals]),
    TensorFlexRefiner(n_latents=25),
    link_block_days=10,
)
for file in files:
    parts = read_features(pd.read_parquet(file), names, hours.min(), PATTERN_BARS)
    refinement.add(file.stem, parts.timestamp, learnable_rows(parts, COST))
refiners = [refinement.fit(number) for number in range(len(folds))]
(work / "latents").mkdir(exist_ok=True)
for file in files:
    table = pd.read_parquet(file)
    known = table[names].to_numpy(dtype=np.float32), table["segment"].to_numpy()
    latents = np.hstack([refiner.latents(file.stem, *known) for refiner in refiners])
    np.save(work / "latents" / file.stem, latents)
