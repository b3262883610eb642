"""Which hours of which day each asset has a candle of."""

import pandas as pd

from fleet_kedro.market.by_asset import CandleLoaders
from fleet_kedro.market.schema import BAR, TIMESTAMP_DTYPE

COVERAGE = ["asset", "day", "candles", "outage_hours"]


def coverage(raw_candles: CandleLoaders, findings: pd.DataFrame) -> pd.DataFrame:
    """Count candles by asset and day, and the hours that the whole market was down.

    Parameters
    ----------
    raw_candles
        For each asset, a function that reads its raw candles.
    findings
        What the gate has found, of the same candles.

    Returns
    -------
    pandas.DataFrame
        Columns ``asset``, ``day`` (UTC), ``candles`` (0 to 24, each hour once) and
        ``outage_hours``; a row for each asset and each day between the first and the
        last candle of the fleet.
    """
    counted = {asset: _by_day(load()) for asset, load in sorted(raw_candles.items())}
    days = pd.DataFrame(counted).sort_index()
    every_day = pd.date_range(days.index.min(), days.index.max(), freq="D", name="day")
    candles = days.reindex(every_day).fillna(0).astype("int64")
    table = candles.melt(ignore_index=False, var_name="asset", value_name="candles")
    table = table.reset_index().astype({"day": TIMESTAMP_DTYPE, "asset": "str"})
    outage = _outage_hours(findings).reindex(table["day"], fill_value=0)
    return table.assign(outage_hours=outage.to_numpy())[COVERAGE]


def _by_day(raw: pd.DataFrame) -> "pd.Series[int]":
    hours = raw["timestamp"].dropna().drop_duplicates()
    hours = hours.loc[hours == hours.dt.floor(BAR)]
    return hours.dt.floor("D").value_counts()


def _outage_hours(findings: pd.DataFrame) -> "pd.Series[int]":
    outages = findings.loc[findings["rule"] == "outage"]
    hours = [
        hour
        for first, last in zip(outages["first"], outages["last"], strict=True)
        for hour in pd.date_range(first, last, freq=BAR)
    ]
    stamps = pd.Series(hours, dtype=TIMESTAMP_DTYPE)
    return stamps.dt.floor("D").value_counts()
