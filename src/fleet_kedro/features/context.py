"""What the whole market did at each hour: the part of a row that others' candles make.

Built once for all assets, as matrices of hours by assets, whose columns are in
alphabetical order whatever the order of the input. Every number of a row comes from
candles up to that row. A return or a trailing statistic never spans a segment border.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypedDict

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped

from fleet_kedro.features.cross_section import (
    Matrix,
    RankKey,
    Stretch,
    mean_of_known,
    percentile_ranks,
    returns_of_others,
    stretches,
    sum_of_known,
    trailing_matrix,
)
from fleet_kedro.features.rolling import Series

REFERENCE_ASSET = "BTC"
# What the assets are ranked by, and over which windows.
RANK_WINDOWS: Mapping[str, tuple[int, ...]] = {
    "return": (1, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233),
    "volatility": (8, 21, 144),
    "volume": (3, 8, 21, 55),
    "peak": (55, 233),
    "skewness": (233,),
    "beta": (233,),
    "residual": (8, 21, 55, 144),
}
RANK_KEYS = tuple((kind, w) for kind, windows in RANK_WINDOWS.items() for w in windows)
# Ratios to usual volume are held within a hundredth and a hundredfold.
LARGEST_RATIO = 100.0


@dataclass(frozen=True, eq=False)
class Surroundings:
    """The market around one asset, a value for each of its bars.

    Attributes
    ----------
    market_log_return
        Mean log return of the **other** assets, equally weighted; 0 at an hour when no
        other asset has one.
    btc_log_return
        Log return of the reference asset (for BTC, its own); 0 when it has none.
    dispersion
        Standard deviation of the log returns of all assets at that hour, per hour.
    breadth
        Share of the other assets that rose minus the share that fell, in [-1, 1].
    btc_dominance_pct, usdt_dominance_pct
        Percent of the total market; NaN where nobody knew it.
    ranks
        Percentile among the assets of the hour by a trailing statistic, from -1
        (lowest) to 1; 0 for an asset alone; NaN in the asset's warm-up.
    rising
        By window: share of all assets with a positive trailing return minus share
        with a negative one, in [-1, 1]; NaN in the asset's warm-up.
    attention
        By window: mean over all assets of the log of volume over its usual level;
        NaN in the asset's warm-up.
    """

    market_log_return: Float[np.ndarray, " bars"]
    btc_log_return: Float[np.ndarray, " bars"]
    dispersion: Float[np.ndarray, " bars"]
    breadth: Float[np.ndarray, " bars"]
    btc_dominance_pct: Float[np.ndarray, " bars"]
    usdt_dominance_pct: Float[np.ndarray, " bars"]
    ranks: Mapping[RankKey, Float[np.ndarray, " bars"]]
    rising: Mapping[int, Float[np.ndarray, " bars"]]
    attention: Mapping[int, Float[np.ndarray, " bars"]]


@dataclass(frozen=True, eq=False)
class MarketContext:
    """Matrices of hours by assets; NaN where an asset has no candle or no past."""

    timestamp: Shaped[np.ndarray, " hours"]
    assets: tuple[str, ...]
    log_return: Matrix
    ranks: Mapping[RankKey, Float[np.ndarray, "hours assets"]]
    rising: Mapping[int, Float[np.ndarray, " hours"]]
    attention: Mapping[int, Float[np.ndarray, " hours"]]
    btc_dominance_pct: Float[np.ndarray, " hours"]
    usdt_dominance_pct: Float[np.ndarray, " hours"]

    def __post_init__(self) -> None:
        """Check what indexing relies on."""
        if list(self.assets) != sorted(set(self.assets)):
            raise ValueError(f"Assets {self.assets} must be sorted and unique.")

    @cached_property
    def others_return(self) -> Matrix:
        """Mean known log return of all the other assets, for each asset."""
        return returns_of_others(self.log_return)

    @cached_property
    def total_sign(self) -> Float[np.ndarray, " hours"]:
        """Number of assets that rose minus the number that fell."""
        return sum_of_known(np.sign(self.log_return))

    @cached_property
    def n_known(self) -> Float[np.ndarray, " hours"]:
        """Number of assets with a return."""
        return (~np.isnan(self.log_return)).sum(axis=1).astype(np.float64)

    @cached_property
    def dispersion(self) -> Float[np.ndarray, " hours"]:
        """Standard deviation of the known returns; 0 for fewer than two."""
        deviation = self.log_return - mean_of_known(self.log_return)[:, None]
        return np.asarray(np.sqrt(mean_of_known(deviation * deviation)))

    @classmethod
    def from_panel(
        cls, panel: pd.DataFrame, dominance_pct: pd.DataFrame | None = None
    ) -> "MarketContext":
        """Summarise a clean panel of candles.

        Parameters
        ----------
        panel
            Clean candles of all assets, in any order of rows.
        dominance_pct
            Columns ``btc_dominance_pct`` and ``usdt_dominance_pct``, indexed by open
            time, each as known at the close of that hour; None where there are none.
        """
        hours = pd.DatetimeIndex(panel["timestamp"].unique()).sort_values()
        assets = tuple(sorted(str(asset) for asset in panel["asset"].unique()))
        own = list(stretches(panel, hours, assets))
        log_return = np.full((len(hours), len(assets)), np.nan)
        for stretch in own:
            log_return[stretch.rows, stretch.column] = stretch.log_return
        known = (
            pd.DataFrame(index=hours, columns=_DOMINANCE, dtype=np.float64)
            if dominance_pct is None
            else dominance_pct.reindex(hours)
        )
        return cls(
            timestamp=naive_utc(hours),
            assets=assets,
            log_return=log_return,
            **_side_by_side(own, returns_of_others(log_return)),
            btc_dominance_pct=known["btc_dominance_pct"].to_numpy(np.float64),
            usdt_dominance_pct=known["usdt_dominance_pct"].to_numpy(np.float64),
        )

    def around(
        self, asset: str, timestamp: Shaped[np.ndarray, " bars"]
    ) -> Surroundings:
        """Return what surrounds one asset at the given open times, oldest first.

        Missing returns become 0, "nothing is known to have moved", so that an hour
        without other assets or without BTC does not cost the asset its row.
        """
        column = self._column(asset)
        rows = self._rows(timestamp)
        own = self.log_return[rows, column]
        n_others = np.maximum(self.n_known[rows] - ~np.isnan(own), 1.0)
        known_own = np.nan_to_num(own, nan=0.0)
        ranks = {
            key: rank[rows, column].astype(np.float64)
            for key, rank in self.ranks.items()
        }

        def since_own_warmup(
            market: Float[np.ndarray, " hours"], kind: str, window: int
        ) -> Float[np.ndarray, " bars"]:
            return np.where(np.isnan(ranks[kind, window]), np.nan, market[rows])

        return Surroundings(
            market_log_return=self.others_return[rows, column],
            btc_log_return=self._reference_return(rows),
            dispersion=self.dispersion[rows],
            breadth=(self.total_sign[rows] - np.sign(known_own)) / n_others,
            btc_dominance_pct=self.btc_dominance_pct[rows],
            usdt_dominance_pct=self.usdt_dominance_pct[rows],
            ranks=ranks,
            rising={
                window: since_own_warmup(share, "return", window)
                for window, share in self.rising.items()
            },
            attention={
                window: since_own_warmup(level, "volume", window)
                for window, level in self.attention.items()
            },
        )

    def _column(self, asset: str) -> int:
        if asset not in self.assets:
            raise ValueError(
                f"{asset} is not in the context, which was built from "
                f"{', '.join(self.assets)}; build it from the panel that holds {asset}."
            )
        return self.assets.index(asset)

    def _rows(self, timestamp: Shaped[np.ndarray, " bars"]) -> np.ndarray:
        rows = np.searchsorted(self.timestamp, timestamp)
        last = len(self.timestamp) - 1
        missing = self.timestamp[np.minimum(rows, last)] != timestamp
        if missing.any():
            raise ValueError(
                f"{missing.sum()} candles, the first at {timestamp[missing][0]}, are "
                "not in the context; build it from the panel that holds them."
            )
        return rows

    def _reference_return(self, rows: np.ndarray) -> Float[np.ndarray, " bars"]:
        if REFERENCE_ASSET not in self.assets:
            return np.zeros(len(rows))
        column = self.assets.index(REFERENCE_ASSET)
        return np.nan_to_num(self.log_return[rows, column], nan=0.0)


_DOMINANCE = ["btc_dominance_pct", "usdt_dominance_pct"]


def naive_utc(
    timestamp: pd.Series | pd.DatetimeIndex,
) -> Shaped[np.ndarray, " bars"]:
    """Aware UTC stamps as a ``datetime64[us]`` array."""
    return pd.DatetimeIndex(timestamp).tz_localize(None).to_numpy("datetime64[us]")


class _SideBySide(TypedDict):
    """The comparisons that ``MarketContext`` holds, under its own names."""

    ranks: dict[RankKey, Matrix]
    rising: dict[int, Series]
    attention: dict[int, Series]


def _side_by_side(own: list[Stretch], others: Matrix) -> _SideBySide:
    """Rank the assets by every trailing statistic; average two of these."""
    ranks: dict[RankKey, Matrix] = {}
    rising: dict[int, Series] = {}
    attention: dict[int, Series] = {}
    for kind, window in RANK_KEYS:
        trailing = trailing_matrix(own, others, kind, window)
        ranks[kind, window] = percentile_ranks(trailing)
        if kind == "return":
            rising[window] = mean_of_known(np.sign(trailing))
        if kind == "volume":
            held = np.clip(trailing, 1.0 / LARGEST_RATIO, LARGEST_RATIO)
            attention[window] = mean_of_known(np.log(held))
    return {"ranks": ranks, "rising": rising, "attention": attention}
