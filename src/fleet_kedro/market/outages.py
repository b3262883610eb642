"""Whose hole it is: hours that one asset misses, and hours without an exchange."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Int

from fleet_kedro.market.schema import BAR

FEWEST_ASSETS = 2


def missing_spans(
    raw_by_asset: Mapping[str, pd.DataFrame], outage_share: float
) -> pd.DataFrame:
    """Return the stretches of missing hours, told apart by who misses them.

    An asset counts as listed between its own first and last candle. An hour that at
    least ``outage_share`` of the listed assets miss, and two of them, is an outage.

    Returns
    -------
    pandas.DataFrame
        Columns ``asset`` (empty for an outage), ``rule`` (gap or outage), ``first``,
        ``last`` (open times), ``rows`` (hours).
    """
    grids = {asset: _present(raw) for asset, raw in sorted(raw_by_asset.items())}
    present = pd.DataFrame({a: grid for a, grid in grids.items() if len(grid)})
    if present.empty:
        return pd.DataFrame(columns=["asset", "rule", "first", "last", "rows"])
    hours = pd.date_range(present.index.min(), present.index.max(), freq=BAR)
    # True: there; False: missing while listed; empty: not listed.
    state = present.reindex(hours).astype("boolean")
    listed, missing = state.notna(), (~state).fillna(False).astype(bool)
    is_outage = (missing.sum(axis=1) >= FEWEST_ASSETS) & (
        missing.sum(axis=1) >= outage_share * listed.sum(axis=1)
    )
    spans = [_spans("", "outage", hours[is_outage.to_numpy()])]
    for asset in state:
        own = (missing[asset] & ~is_outage).to_numpy(dtype=bool)
        spans.append(_spans(str(asset), "gap", hours[own]))
    return pd.concat(spans, ignore_index=True)


def _present(raw: pd.DataFrame) -> "pd.Series[bool]":
    """Whether there is a candle, for each hour between the first and the last."""
    there = pd.DatetimeIndex(raw["timestamp"].dropna().unique()).sort_values()
    there = there[there == there.floor(BAR)]
    if there.empty:
        return pd.Series(dtype=bool)
    hours = pd.date_range(there[0], there[-1], freq=BAR)
    return pd.Series(hours.isin(there), index=hours)


def _spans(asset: str, rule: str, hours: pd.DatetimeIndex) -> pd.DataFrame:
    stretch: Int[np.ndarray, " hours"] = np.cumsum(
        np.append(True, np.diff(hours) > BAR)[: len(hours)]
    )
    spans = pd.Series(hours).groupby(stretch).agg(["min", "max", "size"])
    return pd.DataFrame(
        {
            "asset": asset,
            "rule": rule,
            "first": spans["min"],
            "last": spans["max"],
            "rows": spans["size"],
        }
    )
