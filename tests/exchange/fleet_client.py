"""The client under test: updates of a store, as a user would start and repeat them.

It lives in a module of its own so that a fresh process can import it, be killed in the
middle of an update, and be followed by another.
"""

import multiprocessing
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np
import pandas as pd

from exchange.server.clock import ScaledClock
from exchange.server.exchange import Exchange
from exchange.server.faults import Fault
from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.exchange.clock import Clock
from fleet_kedro.market.exchange.settings import ExchangeSource
from fleet_kedro.market.exchange.store import CandleStore
from fleet_kedro.market.exchange.update import update_store
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window

KILL_WITHIN_S = 0.04
HANGS_AFTER_S = 60

# One clean process imports everything once; each client is a copy of it.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["fleet_kedro.market.exchange.update"])


@dataclass(frozen=True)
class FleetClient:
    """Everything an update needs but the moment at which it runs."""

    universe: Universe
    window: Window
    source: ExchangeSource
    seed: int

    def stored(self, symbol: str) -> pd.DataFrame:
        """Return what the store holds of a symbol now."""
        source = self.source
        return CandleStore(source.store, source.exchange).read(symbol)

    def update(self, clock: ScaledClock) -> str:
        """Run one update; return what was not brought up to date, or nothing."""
        try:
            report = update_store(
                self.universe,
                self.window,
                self.source,
                clock=Clock(clock.now, clock.sleep, clock.timer),
                rng=np.random.default_rng(self.seed),
            )
        except MarketError as error:
            return str(error)
        return " ".join(report.failed.values())

    def update_in_a_process(self, clock: ScaledClock, exchange: Exchange) -> str:
        """Run one update in a process that the exchange's plan of faults may kill."""
        ours, theirs = _PROCESSES.Pipe(duplex=False)
        process = _PROCESSES.Process(target=_work, args=(self, clock, theirs))
        process.start()
        theirs.close()

        def kill(fault: Fault) -> None:
            threading.Timer(fault.size * KILL_WITHIN_S, process.kill).start()

        exchange.on_kill = kill
        process.join(HANGS_AFTER_S)
        exchange.on_kill = None
        if process.is_alive():
            process.kill()
            process.join()
            return f"It hung for {HANGS_AFTER_S} s."
        told = ours.recv() if process.exitcode == 0 and ours.poll() else None
        ours.close()
        return f"Its exit code is {process.exitcode}." if told is None else told


def _work(client: FleetClient, clock: ScaledClock, answer: Connection) -> None:
    answer.send(client.update(clock))
