"""Serve a folder of candles: ``python -m exchange.server binance FOLDER``.

Prints the address and stays until its standard input ends.
"""

import sys
from pathlib import Path

from exchange.server.binance import BinanceSpot
from exchange.server.book import Book
from exchange.server.clock import ScaledClock
from exchange.server.exchange import Exchange
from exchange.server.http import LoopbackServer
from exchange.server.okx import OkxSpot


def main(name: str, folder: str, now: str, limited: str) -> None:
    book = Book.from_folder(Path(folder))
    share = 1.0 if limited == "limited" else 0.0
    dialect = (
        OkxSpot(book, share=share)
        if name == "okx"
        else BinanceSpot(book, weight_per_minute=int(6000 * share))
    )
    with LoopbackServer(Exchange(dialect, ScaledClock.starting(now))) as server:
        sys.stdout.write(server.url + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
