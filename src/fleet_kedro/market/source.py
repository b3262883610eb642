"""Where candles come from: one switch, one verb."""

from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.market.files import CandleFolder
from fleet_kedro.market.raw_market import RawMarket
from fleet_kedro.market.synthetic import SyntheticMarket
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window


class MarketSource(Config):
    """A synthetic market or a folder of files, told apart by ``source.kind``."""

    source: SyntheticMarket | CandleFolder = Field(discriminator="kind")

    def load(self, universe: Universe, window: Window) -> RawMarket:
        """Return the raw market of ``universe``, up to the window's end or beyond.

        A synthetic market is made up to the end of ``window``; files are read whole.
        Selecting and cleaning come later.

        Raises
        ------
        MarketError
            If the source cannot serve the universe; says why and what to do.
        """
        if isinstance(self.source, SyntheticMarket):
            return self.source.generate(universe, window)
        return self.source.read(universe)
