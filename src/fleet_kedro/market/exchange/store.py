"""The raw store: every finished candle, as the exchange listed it, written once.

``<folder>/<exchange>/<SYMBOL>/<YYYY-MM>.parquet`` holds a month of one symbol; beside
the months lie ``gaps.json`` (holes that the exchange has confirmed), and above them
``revisions.jsonl``. A file is replaced whole or not at all, so a crash anywhere leaves
what was there before or what was to be there, never something between.
"""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.exchange.files import replace_file
from fleet_kedro.market.exchange.hours import (
    Hours,
    hour_of,
    moment_of,
    runs,
    whole_hours,
)
from fleet_kedro.market.exchange.revisions import RevisionLog, merge
from fleet_kedro.market.exchange.settings import RevisionRule
from fleet_kedro.market.schema import CANDLE, TIMESTAMP_DTYPE

COLUMNS = ["timestamp", *CANDLE]
LOCK_FILE = ".lock"

_NO_CANDLES = pd.DataFrame(columns=COLUMNS, dtype="float64").astype(
    {"timestamp": TIMESTAMP_DTYPE}
)
_MONTH = re.compile(r"\d{4}-\d{2}\.parquet")


class Appended(NamedTuple):
    """How many candles were new, and how many told differently for the first time."""

    new: int
    revised: int


class CandleStore:
    """The candles of one exchange, by the symbols that it lists.

    Several threads may read and append; of several processes one, see `only_writer`.
    """

    def __init__(
        self,
        folder: Path,
        exchange: str = "binance",
        rule: RevisionRule = "first_wins",
    ) -> None:
        self.folder = folder / exchange
        self.rule = rule
        self.revisions = RevisionLog(self.folder / "revisions.jsonl")
        self._lock = threading.Lock()
        self._known: dict[Path, tuple[tuple[int, int], Hours]] = {}

    def symbols(self) -> list[str]:
        """Name the symbols that there are candles of."""
        if not self.folder.is_dir():
            return []
        return sorted(p.name for p in self.folder.iterdir() if self._months(p.name))

    def read(self, symbol: str, *, since: pd.Timestamp | None = None) -> pd.DataFrame:
        """Return the candles of a symbol, oldest first; from a moment on if given.

        Columns ``timestamp`` (UTC, microseconds), open, high, low, close, volume, as
        listed. Empty if there are none.
        """
        first = "" if since is None else f"{since:%Y-%m}"
        months = [m for m in self._months(symbol) if m.stem >= first]
        candles = pd.concat([no_candles(), *map(_read_month, months)])
        if since is not None:
            candles = candles.loc[candles["timestamp"] >= since]
        return candles.reset_index(drop=True)

    def last_open_time(self, symbol: str) -> pd.Timestamp | None:
        """Return the open time of the youngest candle, None without one."""
        months = self._months(symbol)
        if not months:
            return None
        stamps = _read_month(months[-1], ["timestamp"])["timestamp"]
        return stamps.iloc[-1]

    def hours(self, symbol: str, first: int, last: int) -> Hours:
        """Return the hours from ``first`` to ``last`` that there is a candle of."""
        names = [f"{moment_of(hour):%Y-%m}" for hour in (first, last)]
        parts = [
            self._hours_in(month)
            for month in self._months(symbol)
            if names[0] <= month.stem <= names[1]
        ]
        found = np.concatenate([np.empty(0, np.int64), *parts])
        return found[(found >= first) & (found <= last)]

    def append(self, symbol: str, candles: pd.DataFrame) -> Appended:
        """Add candles that are not there yet, oldest month first.

        A candle that is there already is not written again. One that differs from what
        is there goes into the revision log and is resolved by the store's rule.
        """
        new = revised = 0
        with self._lock:
            for month, part in candles.groupby(
                candles["timestamp"].dt.strftime("%Y-%m")
            ):
                counts = self._append_month(symbol, str(month), part[COLUMNS])
                new, revised = new + counts.new, revised + counts.revised
        return Appended(new, revised)

    def gaps(self, symbol: str) -> dict[int, int]:
        """Return the hours without a candle, and how often the exchange said so."""
        path = self._gap_file(symbol)
        if not path.is_file():
            return {}
        return {
            hour: int(gap["confirmed"])
            for gap in json.loads(path.read_text(encoding="utf-8"))
            for hour in range(
                hour_of(pd.Timestamp(gap["first"])),
                hour_of(pd.Timestamp(gap["last"])) + 1,
            )
        }

    def write_gaps(self, symbol: str, gaps: Mapping[int, int]) -> None:
        """Replace what is known of a symbol's gaps."""
        if gaps == self.gaps(symbol):
            return
        records = [
            {
                "first": moment_of(first).isoformat(),
                "last": moment_of(last).isoformat(),
                "confirmed": count,
            }
            for count in sorted(set(gaps.values()))
            for first, last in runs(
                np.array(sorted(h for h, c in gaps.items() if c == count), np.int64)
            )
        ]
        text = json.dumps(sorted(records, key=lambda r: str(r["first"])), indent=1)
        path = self._gap_file(symbol)
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, (text + "\n").encode())

    def _gap_file(self, symbol: str) -> Path:
        return self.folder / symbol / "gaps.json"

    def _months(self, symbol: str) -> list[Path]:
        folder = self.folder / symbol
        if not folder.is_dir():
            return []
        return sorted(p for p in folder.iterdir() if _MONTH.fullmatch(p.name))

    def _hours_in(self, month: Path) -> Hours:
        """Return a month's hours; a file is read again only when it has changed."""
        status = month.stat()
        version = (status.st_mtime_ns, status.st_size)
        known = self._known.get(month)
        if known is None or known[0] != version:
            stamps = _read_table(month, ["timestamp"])["timestamp"]
            hours = whole_hours(stamps.cast(pa.int64()).to_numpy())
            known = self._known[month] = (version, hours)
        return known[1]

    def _append_month(self, symbol: str, month: str, part: pd.DataFrame) -> Appended:
        path = self.folder / symbol / f"{month}.parquet"
        stored = _read_month(path) if path.is_file() else no_candles()
        merged = merge(stored, part, self.rule)
        path.parent.mkdir(parents=True, exist_ok=True)
        revised = self.revisions.write(symbol, merged.revisions, self.rule)
        if not merged.candles.equals(stored):
            table = pa.Table.from_pandas(merged.candles, preserve_index=False)
            sink = pa.BufferOutputStream()
            pq.write_table(table.replace_schema_metadata(None), sink)
            replace_file(path, sink.getvalue().to_pybytes())
        return Appended(len(merged.candles) - len(stored), revised)


def no_candles() -> pd.DataFrame:
    """Return a frame of the store without a row."""
    return _NO_CANDLES.copy()


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Keep other processes from writing to a store; a crash gives it free.

    Raises
    ------
    MarketError
        At once, if another process is writing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / LOCK_FILE, timeout=0):
            yield
    except Timeout as error:
        raise MarketError(
            f"Another ingestion is writing to {folder.name}/; wait until it has ended, "
            "or give this one a store of its own."
        ) from error


def _read_month(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    frame: pd.DataFrame = _read_table(path, columns or COLUMNS).to_pandas()
    return frame


def _read_table(path: Path, columns: list[str]) -> pa.Table:
    try:
        with pq.ParquetFile(path) as file:
            return file.read(columns, use_threads=False)
    except (pa.ArrowInvalid, OSError) as error:
        raise MarketError(
            f"{path.parent.name}/{path.name} in the store cannot be read; remove it, "
            "and the next update will fetch that month again."
        ) from error
