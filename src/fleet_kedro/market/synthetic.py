"""A market made by a seed, in which the best possible forecast is known.

The price of asset i moves in bar j by the log return

    g[i,j] = log(open[i,j+1] / open[i,j])
           = edge·s[i]·σ[i,j]·x[i,j−1]                          the planted driver
           + edge·τ·σ[i,j]·d[j] − ½σ²[i,j] − λ(e^{(κσ̄[i])²/2}−1)  the scheduled drift
           + σ[i,j]·(√ρ·f[j] + √(1−ρ)·ε[i,j])                   common and own noise
           + κ·σ̄[i]·(J[j] + J[i,j])                             common and own jumps

with f, ε standard normal; J sums of a Poisson number of standard normals, λ of them per
bar and asset; s = −1 for contrarian assets, else 1; d the direction (−1, 0, 1) of a
trend spell, τ its strength; and with

    x[i,j] = φ·x[i,j−1] + √(1−φ²)·η[i,j]                  the driver, unit variance
    σ[i,j] = σ̄[i]·clip(regime · season · e^{common AR(1) + own AR(1)})

x and σ are drawn apart from f, ε and J. A candle closes where the next one opens, and
shows the driver: the upper wick's share of both wicks of bar j is Φ(x[i,j]). So whoever
reads the wicks of bar t knows x[i,t] exactly, before he can trade at open[t+1].

With ``edge: 0`` the drift only undoes the convexity of the exponential: every price is
a martingale, no forecast of direction earns anything, and the market is a null.

The stored probability (``synthetic_truth``) also knows the volatility and the trend
spells of the next ``horizon_bars`` bars. No reader of candles does, so it is an upper
bound for any model: nobody's expected log-loss is lower.

The market opens at ``FIRST_CANDLE``. A window is a view of it, so a longer one, a later
end, or another horizon changes no candle that was there before; an asset's path depends
on the seed, its own name and the common backdrop, so the rest of the fleet does not
matter to it.
"""

from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.moment import show
from fleet_kedro.market.raw_market import RawMarket
from fleet_kedro.market.schema import BAR
from fleet_kedro.market.synthetic_backdrop import REGIMES, Backdrop, draw_backdrop
from fleet_kedro.market.synthetic_dominance import draw_dominance
from fleet_kedro.market.synthetic_dynamics import PriceDynamics
from fleet_kedro.market.synthetic_path import (
    asset_streams,
    draw_candles,
    draw_traits,
    walk,
)
from fleet_kedro.market.synthetic_truth import upside_probability
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window

FIRST_CANDLE = pd.Timestamp("2019-01-01 00:00", tz="UTC")
LAST_CANDLE = pd.Timestamp("2023-12-31 23:00", tz="UTC")


class SyntheticMarket(PriceDynamics):
    """A seeded market with a planted edge; ``edge: 0`` is the null market.

    ``horizon_bars`` and ``round_trip_cost`` are those of the label that the stored
    probability speaks of; they change no candle.
    """

    kind: Literal["synthetic"] = "synthetic"
    seed: int = Field(ge=0)
    horizon_bars: int = Field(ge=1)
    round_trip_cost: float = Field(ge=0, lt=1)
    contrarian_assets: tuple[str, ...] = Field(default=(), strict=False)
    outages_per_year: float = Field(default=3.0, ge=0, le=1000)

    @property
    def description(self) -> str:
        """Where the candles come from, in words."""
        planted = f"planted edge {self.edge:g}" if self.edge else "nothing planted"
        return f"embedded synthetic market, {planted}, seed {self.seed}"

    def generate(self, universe: Universe, window: Window) -> RawMarket:
        """Make all candles from ``FIRST_CANDLE`` up to the end of ``window``.

        Without an end, up to ``LAST_CANDLE``. Every coin keeps its first symbol: here
        nobody renames anything.

        Raises
        ------
        MarketError
            If the window ends before the market opens.
        """
        end = LAST_CANDLE if window.end is None else pd.Timestamp(window.end)
        backdrop, dominance = self._draw_common(end)
        # The truth of the last rows needs the schedule of the bars behind the end.
        is_open = ~backdrop.is_outage[: -self.horizon_bars]
        is_open[-1] = True  # a window may end here, and must find its last candle
        candles, truths = {}, []
        for asset in universe.assets:
            symbol = universe.listings(asset)[0].symbol
            frame, truth = self._generate_asset(asset, symbol, backdrop)
            candles[asset] = frame.loc[is_open].reset_index(drop=True)
            truths.append(truth.loc[is_open])
        truth = pd.concat(truths).sort_values(
            ["timestamp", "asset"], kind="stable", ignore_index=True
        )
        return RawMarket(candles, dominance, truth)

    def _draw_common(self, end: pd.Timestamp) -> tuple[Backdrop, pd.DataFrame]:
        if end < FIRST_CANDLE:
            raise MarketError(
                f"The synthetic market opens at {show(FIRST_CANDLE)}, after the "
                f"window's end {show(end)}; choose a later end."
            )
        stamps = pd.date_range(
            FIRST_CANDLE, end + self.horizon_bars * BAR, freq=BAR, unit="us"
        )
        backdrop_rng, dominance_rng = np.random.default_rng(self.seed).spawn(2)
        backdrop = draw_backdrop(stamps, self, self.outages_per_year, backdrop_rng)
        dominance = draw_dominance(backdrop, dominance_rng)
        is_out = dominance["available_at"] <= end + BAR
        return backdrop, dominance.loc[is_out].reset_index(drop=True)

    def _generate_asset(
        self, asset: str, symbol: str, backdrop: Backdrop
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        streams = asset_streams(self.seed, asset)
        traits = draw_traits(
            streams.traits, is_contrarian=asset in self.contrarian_assets
        )
        path = walk(traits, self, backdrop, streams)
        candles = draw_candles(path, backdrop, symbol, streams)
        rows = len(candles) - self.horizon_bars
        names = np.array([state.name for state in REGIMES])
        truth = pd.DataFrame(
            {
                "timestamp": backdrop.timestamp[:rows],
                "asset": asset,
                "probability": upside_probability(
                    path, self, self.horizon_bars, self.round_trip_cost
                ),
                "regime": names[backdrop.regime[:rows]],
            }
        )
        return candles.iloc[:rows], truth
