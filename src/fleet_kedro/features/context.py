"""What the whole market did at each hour: the part of a row that others' candles make.

Built once for all assets, as matrices of hours by assets, whose columns are in
alphabetical order whatever the order of the input. Every number of a row comes from
candles up to that row. A return or a trailing statistic never spans a segment border.

The assets are read one at a time, and what is kept of each for the others is small: a
return of eight bytes and a few dozen ranks of one byte an hour.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped

from fleet_kedro.features.cross_section import RankKey, trailing_matrix
from fleet_kedro.features.market_returns import MarketReturns, mean_of_known
from fleet_kedro.features.percentile_ranks import PercentileRanks
from fleet_kedro.features.rolling import Series
from fleet_kedro.features.side_by_side import SideBySide
from fleet_kedro.market.by_asset import by_asset
from fleet_kedro.market.dominance import DOMINANCE_COLUMNS

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
    """Hours by assets; NaN or no rank where an asset has no candle or no past."""

    timestamp: Shaped[np.ndarray, " hours"]
    assets: tuple[str, ...]
    returns: MarketReturns
    ranks: Mapping[RankKey, PercentileRanks]
    rising: Mapping[int, Float[np.ndarray, " hours"]]
    attention: Mapping[int, Float[np.ndarray, " hours"]]
    btc_dominance_pct: Float[np.ndarray, " hours"]
    usdt_dominance_pct: Float[np.ndarray, " hours"]

    def __post_init__(self) -> None:
        """Check what indexing relies on."""
        if list(self.assets) != sorted(set(self.assets)):
            raise ValueError(f"Assets {self.assets} must be sorted and unique.")

    @classmethod
    def from_panel(
        cls, panel: pd.DataFrame, dominance_pct: pd.DataFrame | None = None
    ) -> "MarketContext":
        """Summarise a clean panel of candles of all assets, in any order of rows."""
        return cls.of(SideBySide.of(by_asset(panel)), dominance_pct)

    @classmethod
    def of(
        cls, together: SideBySide, dominance_pct: pd.DataFrame | None = None
    ) -> "MarketContext":
        """Summarise the candles of all assets.

        Parameters
        ----------
        dominance_pct
            Columns ``btc_dominance_pct`` and ``usdt_dominance_pct``, indexed by open
            time, each as known at the close of that hour; None where there are none.
        """
        returns = MarketReturns(together.matrix(lambda stretch: stretch.log_return))
        ranks: dict[RankKey, PercentileRanks] = {}
        rising: dict[int, Series] = {}
        attention: dict[int, Series] = {}
        for kind, window in RANK_KEYS:
            trailing = trailing_matrix(together, returns, kind, window)
            ranks[kind, window] = PercentileRanks.of(trailing)
            if kind == "return":
                rising[window] = mean_of_known(trailing, np.sign)
            if kind == "volume":
                attention[window] = mean_of_known(trailing, _log_held)
        return cls(
            timestamp=naive_utc(together.hours),
            assets=together.assets,
            returns=returns,
            ranks=ranks,
            rising=rising,
            attention=attention,
            **_known_shares(together.hours, dominance_pct),
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
        own = self.returns.log_return[rows, column]
        n_others = np.maximum(self.returns.n_known[rows] - ~np.isnan(own), 1.0)
        known_own = np.nan_to_num(own, nan=0.0)
        ranks = {key: rank.of_asset(column, rows) for key, rank in self.ranks.items()}

        def since_own_warmup(
            market: Float[np.ndarray, " hours"], kind: str, window: int
        ) -> Float[np.ndarray, " bars"]:
            return np.where(np.isnan(ranks[kind, window]), np.nan, market[rows])

        return Surroundings(
            market_log_return=self.returns.of_others(rows, column),
            btc_log_return=self._reference_return(rows),
            dispersion=self.returns.dispersion[rows],
            breadth=(self.returns.total_sign[rows] - np.sign(known_own)) / n_others,
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
        return np.nan_to_num(self.returns.log_return[rows, column], nan=0.0)


def naive_utc(
    timestamp: pd.Series | pd.DatetimeIndex,
) -> Shaped[np.ndarray, " bars"]:
    """Aware UTC stamps as a ``datetime64[us]`` array."""
    return pd.DatetimeIndex(timestamp).tz_localize(None).to_numpy("datetime64[us]")


def _log_held(ratio: Series) -> Series:
    """Log of a ratio to the usual volume, none of them overwhelming a mean."""
    return np.log(np.clip(ratio, 1.0 / LARGEST_RATIO, LARGEST_RATIO))


def _known_shares(
    hours: pd.DatetimeIndex, dominance_pct: pd.DataFrame | None
) -> dict[str, Float[np.ndarray, " hours"]]:
    """Each series of dominance at the given hours; NaN where nobody knew it."""
    given = pd.DataFrame(index=hours) if dominance_pct is None else dominance_pct
    names = list(DOMINANCE_COLUMNS.values())
    shares = given.reindex(index=hours, columns=names)
    return {name: shares[name].to_numpy(np.float64) for name in names}
