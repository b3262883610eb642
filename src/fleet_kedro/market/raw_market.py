"""What every market source hands over, whatever it reads."""

from typing import NamedTuple

import pandas as pd


class RawMarket(NamedTuple):
    """Candles as found, and what is known about the market beside them.

    ``candles`` holds a ``RawCandles`` frame per canonical asset, oldest first and not
    cleaned. ``dominance`` is a ``Dominance`` frame and ``truth`` a ``PlantedTruth``
    frame; either may be empty.
    """

    candles: dict[str, pd.DataFrame]
    dominance: pd.DataFrame
    truth: pd.DataFrame
