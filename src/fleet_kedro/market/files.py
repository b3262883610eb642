"""Candles from a folder of files."""

import difflib
import logging
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow.parquet as pq

from fleet_kedro.config import Config
from fleet_kedro.market.candle_files import (
    CandleFile,
    find_columns,
    parse_name,
    read_candle_file,
)
from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.lineage import stitch
from fleet_kedro.market.raw_market import RawMarket
from fleet_kedro.market.schema import TIMESTAMP_DTYPE, Dominance, PlantedTruth
from fleet_kedro.market.universe import Universe

INTERVAL = "1h"
DOMINANCE_FILE = "dominance-1d.parquet"

logger = logging.getLogger(__name__)


class CandleFolder(Config):
    """A folder with ``candles/`` in it, or with the candle files themselves.

    A file is found by its name, ``<symbol>-1h[-<month or day>].<kind>``; those of other
    intervals are passed over, and all periods of a symbol are joined.
    ``dominance-1d.parquet`` beside them is read if it is there.
    """

    kind: Literal["files"] = "files"
    folder: str

    @property
    def description(self) -> str:
        """Where the candles come from, in words that no machine's paths get into."""
        return f"files in {Path(self.folder).name}/"

    def read(self, universe: Universe) -> RawMarket:
        """Read the requested assets, and no other file, as found.

        Every name and every column is checked before the first row is read.

        Raises
        ------
        MarketError
            Folder not set, not there or without candles; an asset without a file; a
            file without a column. Says which, and what to do.
        """
        root = self._root()
        candle_folder = root / "candles" if (root / "candles").is_dir() else root
        files = _hourly_files(candle_folder)
        wanted = {
            asset: _files_of(asset, universe, files, candle_folder)
            for asset in universe.assets
        }
        for file in (f for asset_files in wanted.values() for f in asset_files):
            find_columns(file.path)
        candles = {
            asset: stitch(universe.listings(asset), _read_by_symbol(asset_files))
            for asset, asset_files in wanted.items()
        }
        return RawMarket(
            candles, read_dominance(root / DOMINANCE_FILE), PlantedTruth.empty()
        )

    def _root(self) -> Path:
        if not self.folder.strip():
            raise MarketError(
                "The folder of candles is not set; set FLEET_MARKET_DIR to it."
            )
        root = Path(self.folder).expanduser()
        if not root.is_dir():
            raise MarketError(
                f"The folder of candles {self.folder!r} does not exist; set "
                "FLEET_MARKET_DIR to a folder with candle files."
            )
        return root


def _hourly_files(folder: Path) -> dict[str, list[CandleFile]]:
    """Group the folder's hourly files by symbol, each symbol's periods in order."""
    named = [parse_name(path) for path in sorted(folder.iterdir())]
    hourly = sorted(f for f in named if f is not None and f.interval == INTERVAL)
    if not hourly:
        raise MarketError(
            f"The folder {str(folder)!r} holds no hourly candle files, such as "
            "BTCUSDT-1h.parquet; set FLEET_MARKET_DIR to one that does."
        )
    return {
        symbol: list(files) for symbol, files in groupby(hourly, lambda f: f.symbol)
    }


def _files_of(
    asset: str,
    universe: Universe,
    files: Mapping[str, list[CandleFile]],
    folder: Path,
) -> list[CandleFile]:
    symbols = list(dict.fromkeys(item.symbol for item in universe.listings(asset)))
    missing = [symbol for symbol in symbols if symbol not in files]
    if len(missing) == len(symbols):
        raise MarketError(_unknown(asset, symbols, files, folder))
    for symbol in missing:
        logger.info("%s has no candles as %s in %s.", asset, symbol, folder)
    found = [file for symbol in symbols for file in files.get(symbol, [])]
    _refuse_twins(found)
    return found


def _unknown(asset: str, symbols: list[str], known: Iterable[str], folder: Path) -> str:
    there = sorted(known)
    near = difflib.get_close_matches(symbols[0], there, n=1)
    guess = f" Did you mean {near[0]}?" if near else ""
    return (
        f"The asset {asset!r} is unknown: {str(folder)!r} has no hourly candles of "
        f"{' or '.join(symbols)}, only of {', '.join(there)}.{guess} Correct the "
        "universe's assets or add the file."
    )


def _refuse_twins(files: list[CandleFile]) -> None:
    """Two files of one symbol and period may come from two exchanges: do not guess."""
    seen: dict[tuple[str, str], Path] = {}
    for file in files:
        twin = seen.setdefault((file.symbol, file.period), file.path)
        if twin != file.path:
            raise MarketError(
                f"{twin.name} and {file.path.name} hold the same candles of "
                f"{file.symbol}; keep one of them."
            )


def _read_by_symbol(files: list[CandleFile]) -> dict[str, pd.DataFrame]:
    frames: dict[str, list[pd.DataFrame]] = {}
    for file in files:
        frames.setdefault(file.symbol, []).append(read_candle_file(file.path))
    return {symbol: pd.concat(f, ignore_index=True) for symbol, f in frames.items()}


def read_dominance(path: Path) -> pd.DataFrame:
    """Read a ``Dominance`` file; empty if there is none.

    Raises
    ------
    MarketError
        If a column is missing; says which.
    """
    columns = list(Dominance.to_schema().columns)
    if not path.is_file():
        logger.info("There is no %s; dominance stays unknown.", path)
        return Dominance.empty()
    found = pq.read_schema(path).names
    missing = [name for name in columns if name not in found]
    if missing:
        raise MarketError(
            f"{path} has no column {missing[0]!r}, only {', '.join(found)}; it needs "
            f"{', '.join(columns)}."
        )
    stamps = dict.fromkeys(("timestamp", "available_at"), TIMESTAMP_DTYPE)
    return pd.read_parquet(path, columns=columns).astype(stamps)
