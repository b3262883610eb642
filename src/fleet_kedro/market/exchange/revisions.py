"""What becomes of a candle that the exchange tells differently the second time."""

import json
import os
import threading
from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd

from fleet_kedro.market.exchange.settings import RevisionRule
from fleet_kedro.market.schema import CANDLE


class Merged(NamedTuple):
    """One candle a stamp, oldest first, and the tellings that were not taken alike.

    ``revisions`` has a row for each candle that differs from the first one told:
    ``timestamp``, and its numbers once as ``stored_…`` and once as ``fetched_…``.
    """

    candles: pd.DataFrame
    revisions: pd.DataFrame


def merge(stored: pd.DataFrame, fetched: pd.DataFrame, rule: RevisionRule) -> Merged:
    """Lay fetched candles over stored ones.

    Of several candles with one stamp the first told stays under ``first_wins``, the
    last told under ``last_wins``. Equal candles are one.
    """
    told = pd.concat([stored, fetched], ignore_index=True).drop_duplicates()
    keep: Literal["first", "last"] = "first" if rule == "first_wins" else "last"
    candles = told.drop_duplicates("timestamp", keep=keep)
    return Merged(
        candles.sort_values("timestamp", ignore_index=True), _told_again(told)
    )


def _told_again(told: pd.DataFrame) -> pd.DataFrame:
    """Lay each later telling of a candle beside the first one."""
    is_again = told.duplicated("timestamp")
    if not is_again.any():
        return pd.DataFrame(columns=["timestamp"])
    first = told.loc[~is_again].add_prefix("stored_")
    again = told.loc[is_again].add_prefix("fetched_")
    both = again.merge(first, left_on="fetched_timestamp", right_on="stored_timestamp")
    return both.rename(columns={"fetched_timestamp": "timestamp"})


class RevisionLog:
    """A file of JSON lines: which candle was told differently, and what was done.

    A line is written before the candle it speaks of, and once only; a last line that a
    crash cut short is passed over and completed by the next.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def read(self) -> list[dict[str, object]]:
        """Return the entries, oldest first."""
        if not self.path.is_file():
            return []
        lines = self.path.read_text(encoding="utf-8").split("\n")
        return [entry for line in lines if (entry := _parsed(line)) is not None]

    def write(self, symbol: str, revisions: pd.DataFrame, rule: RevisionRule) -> int:
        """Append the revisions that the log does not have; return how many."""
        if revisions.empty:
            return 0
        entries = [_entry(symbol, row, rule) for _, row in revisions.iterrows()]
        with self._lock:
            known = {json.dumps(entry, sort_keys=True) for entry in self.read()}
            lines = [json.dumps(entry, sort_keys=True) for entry in entries]
            news = [line for line in lines if line not in known]
            if news:
                with self.path.open("a+b") as stream:
                    stream.write(_separator(self.path) + "\n".join(news).encode())
                    stream.write(b"\n")
                    stream.flush()
                    os.fsync(stream.fileno())
        return len(news)


def _entry(symbol: str, row: pd.Series, rule: RevisionRule) -> dict[str, object]:
    return {
        "symbol": symbol,
        "timestamp": row["timestamp"].isoformat(),
        "rule": rule,
        "stored": {name: float(row[f"stored_{name}"]) for name in CANDLE},
        "fetched": {name: float(row[f"fetched_{name}"]) for name in CANDLE},
    }


def _parsed(line: str) -> dict[str, object] | None:
    try:
        entry = json.loads(line)
    except json.JSONDecodeError:
        return None
    return entry if isinstance(entry, dict) else None


def _separator(path: Path) -> bytes:
    """End a line that a crash left open."""
    content = path.read_bytes() if path.is_file() else b""
    return b"\n" if content and not content.endswith(b"\n") else b""
