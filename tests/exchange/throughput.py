"""How fast a store is filled, and kept current, from an exchange without limits.

``python tests/exchange/throughput.py [--exchange okx] [--days 730] [--limited]`` starts
the exchange in a process of its own, fills an empty store with the candles of eleven
assets, then updates it twice, an hour later each time, and prints the result as JSON.
Memory is what the client's process holds at most; it is measured for the whole fill and
for its second half, which adds nothing if it is flat.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from exchange.server.book import COLUMNS
from exchange.server.candles import random_market
from exchange.server.clock import ScaledClock
from fleet_kedro.market.exchange.clock import Clock
from fleet_kedro.market.exchange.settings import ExchangeSource
from fleet_kedro.market.exchange.store import CandleStore
from fleet_kedro.market.exchange.update import update_store
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window

ASSETS = (
    *("BTC", "ETH", "SOL", "BNB", "XRP", "ADA"),
    *("DOGE", "AVAX", "MATIC", "LINK", "LTC"),
)
NOW = pd.Timestamp("2024-03-01T00:20", tz="UTC")
HOURS_LATER = 2
MEGABYTE = 1024  # of the kilobytes that Linux counts in


def measure(name: str, days: int, *, limited: bool) -> dict[str, object]:
    """Fill a store and update it twice; return seconds, rates and memory."""
    with tempfile.TemporaryDirectory() as folder:
        truth = Path(folder) / "truth"
        _write_truth(truth, days)
        source = ExchangeSource(exchange=name, store=Path(folder) / "store")
        if not limited:
            # A pace of its own is a client's last manners; here it has none.
            source = source.model_copy(update={"weight_share": 1.0})
        result: dict[str, object] = {"exchange": name, "days": days}
        result |= _fill_and_update(truth, source, days, limited=limited)
        return result


def _fill_and_update(
    truth: Path, source: ExchangeSource, days: int, *, limited: bool
) -> dict[str, object]:
    result: dict[str, object] = {}
    resident: list[int] = []
    for hour in range(HOURS_LATER + 1):
        now = NOW + pd.Timedelta(hours=hour)
        with _exchange(source.exchange, truth, now, limited=limited) as url:
            here = source.model_copy(update={"base_url": url})
            seconds, candles = _update(here, days, now, resident)
        result[f"update_{hour}_seconds"] = round(seconds, 3)
        result[f"update_{hour}_candles"] = candles
    half = resident[len(resident) // 2]
    result["peak_megabytes"] = round(resident[-1] / MEGABYTE)
    result["second_half_adds_megabytes"] = round((resident[-1] - half) / MEGABYTE, 1)
    result["is_true"] = _is_true(truth, source, days)
    return result


def _update(
    source: ExchangeSource, days: int, now: pd.Timestamp, resident: list[int]
) -> tuple[float, int]:
    clock = ScaledClock.starting(f"{now:%Y-%m-%dT%H:%M}")

    def watch(asset: str, settled: int, total: int) -> None:
        del asset, settled, total
        resident.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

    began = time.perf_counter()
    report = update_store(
        Universe(assets=ASSETS),
        Window(days=days),
        source,
        clock=Clock(clock.now, clock.sleep, clock.timer),
        on_progress=watch,
    )
    if report.failed:
        raise SystemExit(str(report.failed))
    return time.perf_counter() - began, sum(report.new_candles.values())


def _write_truth(folder: Path, days: int) -> None:
    folder.mkdir()
    rng = np.random.default_rng(1)
    end = NOW.floor("h") + pd.Timedelta(hours=HOURS_LATER + 1)
    hours = pd.date_range(end=end, periods=days * 24 + 100, freq="h")
    for asset in ASSETS:
        market = random_market(f"{asset}USDT", hours, rng)
        market.to_frame().to_parquet(folder / f"{asset}USDT-1h.parquet")


@contextmanager
def _exchange(
    name: str, truth: Path, now: pd.Timestamp, *, limited: bool
) -> Iterator[str]:
    command = [sys.executable, "-m", "exchange.server", name, str(truth)]
    command += [f"{now:%Y-%m-%dT%H:%M}", "limited" if limited else "unlimited"]
    with subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[1],
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        yield process.stdout.readline().strip()
        process.stdin.close()


def _is_true(truth: Path, source: ExchangeSource, days: int) -> bool:
    last = NOW.floor("h") + pd.Timedelta(hours=HOURS_LATER - 1)
    store = CandleStore(source.store, source.exchange)
    for asset in ASSETS:
        true = pd.read_parquet(truth / f"{asset}USDT-1h.parquet")
        true = true.loc[true["timestamp"] <= last].tail(days * 24 + HOURS_LATER)
        found = store.read(f"{asset}USDT")
        if not found[COLUMNS].equals(true[COLUMNS].reset_index(drop=True)):
            return False
    return True


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exchange", default="binance", choices=["binance", "okx"])
    parser.add_argument("--days", type=int, default=730)
    parser.add_argument("--limited", action="store_true")
    given = parser.parse_args()
    told = measure(given.exchange, given.days, limited=given.limited)
    sys.stdout.write(json.dumps(told, indent=1) + "\n")
