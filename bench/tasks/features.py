"""Clean candles to the feature tables of all assets, on disk."""

import sys
from pathlib import Path

import pandas as pd

from fleet_kedro.features.build import FeatureSettings, asset_features
from fleet_kedro.features.context import MarketContext

ORDER = 0.4

work = Path(sys.argv[1])
(work / "features").mkdir(exist_ok=True)
candles = pd.read_parquet(work / "candles.parquet")
context = MarketContext.from_panel(candles, pd.read_parquet(work / "dominance.parquet"))
for asset, own in candles.groupby("asset"):
    table = asset_features(own, context, ORDER, FeatureSettings(profile="full"))
    table.to_parquet(work / "features" / f"{asset}.parquet", index=False)
