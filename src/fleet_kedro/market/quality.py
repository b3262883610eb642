"""What was found in the candles and what cleaning did about it, a row per asset."""

from collections.abc import Mapping

import pandas as pd

from fleet_kedro.market.cleaning import sift
from fleet_kedro.market.gaps import missing_hours
from fleet_kedro.market.schema import QualityReport


def quality_report(
    raw_by_asset: Mapping[str, pd.DataFrame], clean_panel: pd.DataFrame
) -> pd.DataFrame:
    """Count dirt, gaps and fillings per asset; a ``QualityReport`` frame.

    ``rows`` are the rows as found, of which the dropped ones and the candles that
    remain add up exactly. ``gaps`` are runs of missing hours between sound candles,
    bridged or not. Prices are in quote currency; filled candles enter no count but
    ``filled``.
    """
    by_asset = {
        str(asset): candles
        for asset, candles in clean_panel.groupby("asset", sort=True)
    }
    rows = [
        {"asset": asset} | _found(raw_by_asset[asset]) | _made(candles)
        for asset, candles in by_asset.items()
    ]
    columns = list(QualityReport.to_schema().columns)
    return pd.DataFrame(rows, columns=columns).astype({"asset": "str"})


def _found(raw: pd.DataFrame) -> dict[str, int]:
    sifted = sift(raw)
    missing = missing_hours(sifted.candles["timestamp"])
    return {
        "rows": len(raw),
        "gaps": int((missing > 0).sum()),
        "longest_gap_hours": int(missing.max(initial=0)),
        "duplicates_dropped": sifted.duplicates,
        "off_grid_dropped": sifted.off_grid,
        "invalid_dropped": sifted.invalid,
    }


def _made(candles: pd.DataFrame) -> dict[str, object]:
    real = candles.loc[~candles["is_filled"]]
    lowest, highest = real["low"].min(), real["high"].max()
    return {
        "first": candles["timestamp"].iloc[0],
        "last": candles["timestamp"].iloc[-1],
        "filled": len(candles) - len(real),
        "segments": int(candles["segment"].nunique()),
        "zero_volume": int((real["volume"] == 0).sum()),
        "lowest_price": lowest,
        "highest_price": highest,
        "high_low_ratio": highest / lowest,
    }
