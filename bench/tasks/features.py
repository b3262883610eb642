"""Clean candles to the feature tables of all assets, on disk."""

import sys
from functools import partial
from pathlib import Path

import pandas as pd

from fleet_kedro.features.build import FeatureSettings, asset_features
from fleet_kedro.features.context import MarketContext
from fleet_kedro.features.side_by_side import SideBySide

ORDER = 0.4

work = Path(sys.argv[1])
(work / "features").mkdir(exist_ok=True)
files = sorted((work / "candles").glob("*.parquet"))
candles = {file.stem: partial(pd.read_parquet, file) for file in files}
dominance = pd.read_parquet(work / "dominance.parquet")
context = MarketContext.of(SideBySide.of(candles), dominance)
for asset, load in candles.items():
    table = asset_features(load(), context, ORDER, FeatureSettings(profile="full"))
    table.to_parquet(
        work / "features" / f"{asset}.parquet", index=False, use_dictionary=False
    )
