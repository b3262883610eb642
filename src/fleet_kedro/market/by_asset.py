"""Clean candles asset by asset: a fleet is never in memory as a whole."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pandas as pd
from pandera.errors import SchemaErrors

from fleet_kedro.market.schema import CleanCandles

CandleLoaders = Mapping[str, Callable[[], pd.DataFrame]]
"""For each asset, a function that reads its candles."""


def by_asset(panel: pd.DataFrame) -> CandleLoaders:
    """Take a clean panel apart, for those who look at one asset after the other."""
    return {
        str(asset): partial(panel.take, np.asarray(rows))
        for asset, rows in panel.groupby("asset").indices.items()
    }


def checked_by_asset(candles: CandleLoaders) -> CandleLoaders:
    """Hold each asset's candles to ``CleanCandles`` when they are asked for.

    The catalog calls this at its border, on the way in and on the way out.
    """
    return {asset: partial(_checked, asset, load) for asset, load in candles.items()}


def _checked(asset: str, load: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    candles = load()
    try:
        CleanCandles.validate(candles, lazy=True)
    except SchemaErrors as errors:
        raise ValueError(
            f"The candles of {asset} are not clean: {_fault(errors.failure_cases)}. "
            "Run the ingestion again."
        ) from errors
    found = [str(name) for name in candles["asset"].unique()]
    if found != [asset]:
        raise ValueError(
            f"The candles of {asset} are those of {', '.join(found) or 'no asset'}; "
            "run the ingestion again."
        )
    return candles


def _fault(failure_cases: pd.DataFrame) -> str:
    """Tell one of the faults, of a single column before one of the whole table."""
    first = failure_cases.sort_values("schema_context", kind="stable").iloc[0]
    place = first["column"] if first["schema_context"] == "Column" else "the table"
    return f"{place} breaks {first['check']!r} with {first['failure_case']}"
