"""Where candles come from: one switch, one verb."""

from collections.abc import Callable

from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.market.exchange.settings import ExchangeSource
from fleet_kedro.market.files import CandleFolder
from fleet_kedro.market.raw_market import RawMarket
from fleet_kedro.market.synthetic import SyntheticMarket
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window

OnProgress = Callable[[str, int, int], None]


class MarketSource(Config):
    """A synthetic market, a folder of files or an exchange, told by ``source.kind``."""

    source: SyntheticMarket | CandleFolder | ExchangeSource = Field(
        discriminator="kind"
    )

    def load(
        self,
        universe: Universe,
        window: Window,
        on_progress: OnProgress | None = None,
    ) -> RawMarket:
        """Return the raw market of ``universe``, up to the window's end or beyond.

        A synthetic market is made up to the end of ``window``; files are read whole;
        of an exchange, what its store lacks is fetched first, which ``on_progress`` is
        told: an asset, its hours just settled, all hours missing at the beginning.
        Selecting and cleaning come later.

        Raises
        ------
        MarketError
            If the source cannot serve the universe; says why and what to do.
        """
        if isinstance(self.source, SyntheticMarket):
            return self.source.generate(universe, window)
        if isinstance(self.source, CandleFolder):
            return self.source.read(universe)
        # Who never asks an exchange need not wait for the library that knows them all.
        from fleet_kedro.market.exchange.load import load_market

        return load_market(universe, window, self.source, on_progress=on_progress)
