"""The candles that are worked on: the reference window, or a synthetic fleet."""

import os
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


def prepare(folder: Path, n_assets: int, *, real: bool) -> None:
    """Write clean candles and known dominance of a fleet into ``folder``."""
    extra = tuple(f"COIN{number:03d}" for number in range(n_assets - len(FLEET)))
    universe = Universe(assets=(FLEET + extra)[:n_assets])
    if real:
        source = CandleFolder(folder=os.environ["FLEET_MARKET_DIR"])
    else:
        source = SyntheticMarket(
            seed=7, edge=0.1, horizon_bars=12, round_trip_cost=0.002
        )
    raw = MarketSource(source=source).load(universe, WINDOW)
    candles = clean_candles(select(raw.candles, WINDOW).candles, GapPolicy())
    hours = pd.DatetimeIndex(candles["timestamp"].unique())
    policy = DominancePolicy(source="coingecko" if real else None)
    folder.mkdir(parents=True, exist_ok=True)
    candles.to_parquet(folder / "candles.parquet")
    join_dominance(hours, raw.dominance, policy).to_parquet(
        folder / "dominance.parquet"
    )
