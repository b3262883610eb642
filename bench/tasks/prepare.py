"""Clean candles to work on: the reference window, or a synthetic fleet.

A file an asset, and beside them dominance as known at each hour.
"""

import os
import sys
from pathlib import Path

import pandas as pd

from fleet_kedro.market.cleaning import clean_candles
from fleet_kedro.market.dominance import DominancePolicy, join_dominance
from fleet_kedro.market.files import CandleFolder
from fleet_kedro.market.gaps import GapPolicy
from fleet_kedro.market.source import MarketSource
from fleet_kedro.market.synthetic import SyntheticMarket
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window, select

FLEET = (
    "BTC",
    "ETH",
    "SOL",
    "BNB",
    "XRP",
    "ADA",
    "DOGE",
    "AVAX",
    "MATIC",
    "LINK",
    "LTC",
)
WINDOW = Window(days=730, end="2023-12-31T23:00", warmup_days=0)

work, n_assets, is_real = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "real"
extra = tuple(f"COIN{number:03d}" for number in range(n_assets - len(FLEET)))
universe = Universe(assets=(FLEET + extra)[:n_assets])
source = (
    CandleFolder(folder=os.environ["FLEET_MARKET_DIR"])
    if is_real
    else SyntheticMarket(seed=7, edge=0.1, horizon_bars=12, round_trip_cost=0.002)
)
raw = MarketSource(source=source).load(universe, WINDOW)
(work / "candles").mkdir(parents=True, exist_ok=True)
hours = pd.DatetimeIndex([], tz="UTC")
for asset, candles in select(raw.candles, WINDOW).candles.items():
    own = clean_candles({asset: candles}, GapPolicy())
    own.to_parquet(work / "candles" / f"{asset}.parquet", index=False)
    hours = hours.union(pd.DatetimeIndex(own["timestamp"]))
policy = DominancePolicy(source="coingecko" if is_real else None)
join_dominance(hours, raw.dominance, policy).to_parquet(work / "dominance.parquet")
