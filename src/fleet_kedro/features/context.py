"""What the whole market did at each hour: the part of a row that others' candles make.

Built once for all assets, as matrices of hours by assets, whose columns are in
alphabetical order whatever the order of the input. Every number of a row comes from
candles up to that row. A return or a trailing statistic never spans a segment border.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped

from fleet_kedro.features.rolling import (
    Series,
    ratio_or,
    rolling_mean,
    rolling_root_mean_square,
    rolling_sum,
    shift,
)

REFERENCE_ASSET = "BTC"
RANK_WINDOWS = (3, 8, 21, 55, 144)
RANKED = ("return", "volatility", "volume")
# Volume of a window is ranked relative to that of a window this many times as long.
VOLUME_BASE = 3

RankKey = tuple[str, int]
Matrix = Float[np.ndarray, "hours assets"]


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
        Percentile among the assets of the hour by trailing return, volatility or
        relative volume, from -1 (lowest) to 1; 0 for an asset alone; NaN in warm-up.
    """

    market_log_return: Float[np.ndarray, " bars"]
    btc_log_return: Float[np.ndarray, " bars"]
    dispersion: Float[np.ndarray, " bars"]
    breadth: Float[np.ndarray, " bars"]
    btc_dominance_pct: Float[np.ndarray, " bars"]
    usdt_dominance_pct: Float[np.ndarray, " bars"]
    ranks: Mapping[RankKey, Float[np.ndarray, " bars"]]


@dataclass(frozen=True, eq=False)
class MarketContext:
    """Matrices of hours by assets; NaN where an asset has no candle or no past."""

    timestamp: Shaped[np.ndarray, " hours"]
    assets: tuple[str, ...]
    log_return: Matrix
    ranks: Mapping[RankKey, Float[np.ndarray, "hours assets"]]
    btc_dominance_pct: Float[np.ndarray, " hours"]
    usdt_dominance_pct: Float[np.ndarray, " hours"]

    def __post_init__(self) -> None:
        """Check what indexing relies on."""
        if list(self.assets) != sorted(set(self.assets)):
            raise ValueError(f"Assets {self.assets} must be sorted and unique.")

    @cached_property
    def total_return(self) -> Float[np.ndarray, " hours"]:
        """Sum of the known log returns of all assets."""
        return sum_of_known(self.log_return)

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
        count = np.maximum(self.n_known, 1.0)
        deviation = self.log_return - (self.total_return / count)[:, None]
        return np.asarray(np.sqrt(sum_of_known(deviation * deviation) / count))

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
        trailing = _trailing_statistics(panel, hours, assets)
        known = (
            pd.DataFrame(index=hours, columns=_DOMINANCE, dtype=np.float64)
            if dominance_pct is None
            else dominance_pct.reindex(hours)
        )
        return cls(
            timestamp=naive_utc(hours),
            assets=assets,
            log_return=trailing.pop(("return", 1)),
            ranks={key: percentile_ranks(trailing[key]) for key in sorted(trailing)},
            **{name: known[name].to_numpy(np.float64) for name in _DOMINANCE},
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
        return Surroundings(
            market_log_return=(self.total_return[rows] - known_own) / n_others,
            btc_log_return=self._reference_return(rows),
            dispersion=self.dispersion[rows],
            breadth=(self.total_sign[rows] - np.sign(known_own)) / n_others,
            btc_dominance_pct=self.btc_dominance_pct[rows],
            usdt_dominance_pct=self.usdt_dominance_pct[rows],
            ranks={
                key: rank[rows, column].astype(np.float64)
                for key, rank in self.ranks.items()
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


def sum_of_known(values: Matrix) -> Float[np.ndarray, " hours"]:
    """Sum of each row's known values, added in column order; 0 where none is known."""
    total = np.zeros(len(values))
    for column in values.T:
        total += np.nan_to_num(column, nan=0.0)
    return total


def percentile_ranks(values: Matrix) -> Float[np.ndarray, "hours assets"]:
    """Rank of each value among the known ones of its row, from -1 to 1, as float32.

    Ties share their mean rank; a value alone in its row is 0; NaN stays NaN.
    """
    table = pd.DataFrame(values)
    rank = table.rank(axis=1).to_numpy()
    steps = np.maximum(table.count(axis=1).to_numpy() - 1, 1)[:, None]
    alone = (table.count(axis=1).to_numpy() == 1)[:, None] & ~np.isnan(rank)
    return np.where(alone, 0.0, 2.0 * (rank - 1.0) / steps - 1.0).astype(np.float32)


def _trailing_statistics(
    panel: pd.DataFrame, hours: pd.DatetimeIndex, assets: tuple[str, ...]
) -> dict[RankKey, Matrix]:
    """Hourly return, and for each window what the assets are ranked by."""
    keys = [("return", 1), *((kind, w) for kind in RANKED for w in RANK_WINDOWS)]
    matrices = {key: np.full((len(hours), len(assets)), np.nan) for key in keys}
    for (asset, _), candles in panel.groupby(["asset", "segment"], sort=True):
        ordered = candles.sort_values("timestamp")
        rows = hours.get_indexer(pd.DatetimeIndex(ordered["timestamp"]))
        column = assets.index(str(asset))
        log_close = np.log(ordered["close"].to_numpy(np.float64))
        log_return = log_close - shift(log_close, 1)
        volume = ordered["volume"].to_numpy(np.float64)
        matrices["return", 1][rows, column] = log_return
        for window in RANK_WINDOWS:
            base = rolling_mean(volume, VOLUME_BASE * window)
            for kind, statistic in (
                ("return", rolling_sum(log_return, window)),
                ("volatility", rolling_root_mean_square(log_return, window)),
                ("volume", _relative(rolling_mean(volume, window), base)),
            ):
                matrices[kind, window][rows, column] = statistic
    return matrices


def _relative(recent: Series, base: Series) -> Series:
    """Recent volume over its base; 1 where nothing has been traded in either."""
    return ratio_or(recent, base, neutral=1.0)
