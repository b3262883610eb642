"""One file of candles: what its name says, which columns it has, what it holds.

Four kinds are read: Parquet, feather as freqtrade writes it, CSV with a header, and
the kline dumps that Binance publishes as CSV or zip, with a header or without one.
"""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.schema import CANDLE
from fleet_kedro.market.stamps import read_stamps

STAMP_NAMES = ("timestamp", "date", "datetime", "open_time", "opentime", "time")

# The order of a kline dump that comes without a header.
KLINE_COLUMNS = [
    "open_time",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "close_time",
    "quote_volume",
    "count",
    "taker_buy_volume",
    "taker_buy_quote_volume",
    "ignore",
]

_NAME = re.compile(
    r"(?P<symbol>[A-Za-z0-9]+(_[A-Za-z0-9]+)?)"
    r"-(?P<interval>\d+(s|m|h|d|w|M|mo))"
    r"(-(?P<period>\d{4}-\d{2}(-\d{2})?))?"
    r"\.(?P<kind>parquet|feather|csv|zip)"
)


class CandleFile(NamedTuple):
    """What a file's name says: ``BTC_USDT-1h.feather``, ``BTCUSDT-1h-2023-01.zip``.

    ``symbol`` is in capitals without an underscore; ``period`` is the month or the day
    that the file holds, empty if it holds everything.
    """

    symbol: str
    interval: str
    period: str
    path: Path


def parse_name(path: Path) -> CandleFile | None:
    """Read a file's name; None if it is not named like a candle file."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    symbol = match["symbol"].replace("_", "").upper()
    return CandleFile(symbol, match["interval"], match["period"] or "", path)


def find_columns(path: Path) -> dict[str, str]:
    """Map ``timestamp``, the prices and ``volume`` to the file's own column names.

    Names are compared without regard to case. Only the file's head is read.

    Raises
    ------
    MarketError
        Names the file, the missing column and the columns that are there.
    """
    with _readable(path):
        names = _column_names(path)
    by_lower_case = {name.strip().lower().replace(" ", "_"): name for name in names}
    stamp = next((n for n in STAMP_NAMES if n in by_lower_case), "timestamp")
    missing = [n for n in (stamp, *CANDLE) if n not in by_lower_case]
    if missing:
        raise MarketError(
            f"{path} has no column {missing[0]!r}, only {', '.join(map(str, names))}; "
            f"rename its columns to timestamp, {', '.join(CANDLE)}."
        )
    return {"timestamp": by_lower_case[stamp]} | {n: by_lower_case[n] for n in CANDLE}


def read_candle_file(path: Path) -> pd.DataFrame:
    """Read the stamps (UTC) and the five numbers of every row, in the file's order.

    A number that cannot be read becomes NaN and is left to cleaning.

    Raises
    ------
    MarketError
        If the file is broken, lacks a column or has a stamp that cannot be read.
    """
    columns = find_columns(path)
    with _readable(path):
        found = _read_table(path, list(columns.values()))
    numbers = {
        name: pd.to_numeric(found[columns[name]], errors="coerce").astype("float64")
        for name in CANDLE
    }
    try:
        stamps = read_stamps(found[columns["timestamp"]])
    except ValueError as error:
        raise MarketError(
            f"{path} has a stamp in column {columns['timestamp']!r} that cannot be "
            f"read ({error}); correct or remove its row."
        ) from error
    return pd.DataFrame({"timestamp": stamps, **numbers})


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowInvalid, zipfile.BadZipFile, pd.errors.ParserError) as error:
        raise MarketError(
            f"{path} cannot be read ({error}); fetch it again or remove it."
        ) from error


def _is_text(path: Path) -> bool:
    return path.suffix in {".csv", ".zip"}


def _column_names(path: Path) -> list[str]:
    if not _is_text(path):
        return list(ds.dataset(path, format=path.suffix[1:]).schema.names)
    with _open_text(path) as stream:
        cells = stream.readline().decode("utf-8-sig").strip().split(",")
    cells = [cell.strip().strip('"') for cell in cells]
    return KLINE_COLUMNS if _is_headless(cells) else cells


def _read_table(path: Path, columns: list[str]) -> pd.DataFrame:
    if not _is_text(path):
        table = ds.dataset(path, format=path.suffix[1:]).to_table(columns=columns)
        return pd.DataFrame(table.to_pandas(ignore_metadata=True))
    with _open_text(path) as stream:
        cells = stream.readline().decode("utf-8-sig").strip().split(",")
        stream.seek(0)
        headless = _is_headless([cell.strip().strip('"') for cell in cells])
        return pd.read_csv(
            stream,
            header=None if headless else 0,
            names=KLINE_COLUMNS if headless else None,
            usecols=columns,
            encoding="utf-8-sig",
        )


def _is_headless(cells: list[str]) -> bool:
    return len(cells) == len(KLINE_COLUMNS) and cells[0].isdigit()


@contextmanager
def _open_text(path: Path) -> Iterator[IO[bytes]]:
    if path.suffix == ".csv":
        with path.open("rb") as stream:
            yield stream
        return
    with zipfile.ZipFile(path) as archive:
        inside = [name for name in archive.namelist() if name.endswith(".csv")]
        if len(inside) != 1:
            raise zipfile.BadZipFile(f"it holds {len(inside)} CSV files, not one")
        with archive.open(inside[0]) as stream:
            yield stream
