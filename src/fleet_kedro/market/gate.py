"""The gate before the clean panel: every candle that breaks a rule is named.

What is no candle is dropped by cleaning, and the gate says so; what is merely strange
(a jump, an hour without a trade) is flagged and kept, for it may be true. The gate
closes when the columns are not those of candles, or when so much of an asset is dirt
that the rest deserves no trust.

Rules on rows
    ``order``            a row stands before an older one
    ``duplicate``        a stamp is repeated; the last sound row of it stays
    ``off_grid``         a stamp is no full hour
    ``missing_number``   a price or a volume is missing or not finite
    ``non_positive``     a price is zero or below
    ``negative_volume``  a volume is below zero
    ``high_low``         the range does not enclose open and close
    ``jump``             high or low is farther from the last close than a robust bound
    ``zero_volume``      an hour without a trade
Rules on missing hours
    ``gap``              one asset has no candle, others have
    ``outage``           (nearly) all assets listed at the time have none
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Bool
from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.gaps import BAR_MICROSECONDS
from fleet_kedro.market.outages import missing_spans
from fleet_kedro.market.schema import BAR, CANDLE, PRICES, TIMESTAMP_DTYPE, RawCandles

DROPPED, SORTED, KEPT = "dropped", "sorted", "kept"
ACTIONS = {
    "order": SORTED,
    "duplicate": DROPPED,
    "off_grid": DROPPED,
    "missing_number": DROPPED,
    "non_positive": DROPPED,
    "negative_volume": DROPPED,
    "high_low": DROPPED,
    "jump": KEPT,
    "zero_volume": KEPT,
}
FINDING = ["asset", "rule", "action", "first", "last", "rows"]
MAD_TO_SIGMA = 1.4826  # of a normal distribution

RowMask = Bool[np.ndarray, " rows"]


class GatePolicy(Config):
    """When a jump is flagged, when holes are one outage, and when the gate closes."""

    jump_bound: float = Field(
        default=30.0, gt=0, description="Robust standard deviations of hourly returns."
    )
    outage_share: float = Field(
        default=0.8, gt=0, le=1, description="Share of the listed assets, at least two."
    )
    max_dropped_share: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="Of an asset's rows; more closes the gate.",
    )


def inspect(
    raw_by_asset: Mapping[str, pd.DataFrame], policy: GatePolicy
) -> pd.DataFrame:
    """Find whatever breaks a rule, a row per asset, rule and unbroken stretch.

    Parameters
    ----------
    raw_by_asset
        ``RawCandles`` frames, in any order and with any dirt.

    Returns
    -------
    pandas.DataFrame
        Columns ``asset`` (empty for an outage, which is everybody's), ``rule``,
        ``action`` (dropped, sorted, kept, missing), ``first`` and ``last`` (stamps of
        the stretch), ``rows`` (or missing hours); by asset, rule and time.

    Raises
    ------
    MarketError
        If a frame has not the columns of candles; names asset and column.
    """
    findings = []
    for asset, raw in sorted(raw_by_asset.items()):
        _refuse_other_columns(asset, raw)
        for rule, mask in broken_rules(raw, policy).items():
            findings.append(_stretches(asset, rule, raw.loc[mask, "timestamp"]))
    spans = missing_spans(raw_by_asset, policy.outage_share)
    findings.append(spans.assign(action="missing")[FINDING])
    return pd.concat(map(_typed, findings), ignore_index=True).sort_values(
        ["asset", "rule", "first"], ignore_index=True, kind="stable"
    )


def refuse_dirty(
    findings: pd.DataFrame, raw_by_asset: Mapping[str, pd.DataFrame], policy: GatePolicy
) -> None:
    """Close the gate before an asset of which too much is dirt.

    Raises
    ------
    MarketError
        Names the asset, the rule that most of its dirt breaks, and when it begins.
    """
    dropped = findings.loc[findings["action"] == DROPPED]
    for asset, dirt in dropped.groupby("asset"):
        share = dirt["rows"].sum() / len(raw_by_asset[str(asset)])
        if share > policy.max_dropped_share:
            worst = dirt.groupby("rule")["rows"].sum().idxmax()
            raise MarketError(
                f"{asset} is too dirty to be used: {share:.1%} of its rows are no "
                f"sound candles (at most {policy.max_dropped_share:.1%} may be), "
                f"{describe(dirt.loc[dirt['rule'] == worst].iloc[0])}, for instance; "
                "correct its source or leave it out."
            )


def describe(finding: pd.Series) -> str:
    """Write a finding: the asset, the time, the rule."""
    first, last = (f"{finding[name]:%Y-%m-%d %H:%M}" for name in ("first", "last"))
    when = f"at {first}" if first == last else f"from {first} to {last}"
    asset = finding["asset"] or "all assets"
    return f"{asset} {when}: {finding['rule']} ({finding['rows']}, {finding['action']})"


def broken_rules(raw: pd.DataFrame, policy: GatePolicy) -> dict[str, RowMask]:
    """Mark the rows of one asset that break each of the rules on rows."""
    values = raw[CANDLE].to_numpy(dtype=np.float64)
    open_, high, low, close, volume = values.T
    finite = np.isfinite(values).all(axis=1)
    stamp = raw["timestamp"]
    encloses = (low <= np.minimum(open_, close)) & (high >= np.maximum(open_, close))
    positive = (values[:, : len(PRICES)] > 0).all(axis=1)
    broken = {
        "order": (stamp < stamp.cummax()).to_numpy(),
        "duplicate": stamp.duplicated().to_numpy(),
        "off_grid": stamp.astype("int64").to_numpy() % BAR_MICROSECONDS != 0,
        "missing_number": ~finite,
        "non_positive": finite & ~positive,
        "negative_volume": finite & (volume < 0),
        "high_low": finite & positive & ~encloses,
        "zero_volume": finite & (volume == 0),
    }
    dropped = [
        broken[rule]
        for rule, action in ACTIONS.items()
        if action == DROPPED and rule in broken
    ]
    sound = ~np.logical_or.reduce(dropped)
    return broken | {"jump": _jumps(raw, sound, policy.jump_bound)}


def _jumps(raw: pd.DataFrame, sound: RowMask, bound: float) -> RowMask:
    """Mark sound candles whose high or low lies too far from the close before.

    Far is ``bound`` times the robust standard deviation of the asset's own hourly log
    returns, over all its candles: this is said about the past, and nothing learns it.
    Only neighbouring hours are compared.
    """
    candles = raw.loc[sound].sort_values("timestamp")
    follows = candles["timestamp"].diff() == BAR
    before = candles["close"].shift().where(follows)
    returns = _log_ratio(candles["close"], before).dropna()
    if returns.empty:
        return np.zeros(len(raw), dtype=bool)
    scale = MAD_TO_SIGMA * (returns - returns.median()).abs().median()
    above, below = (
        _log_ratio(candles["high"], before),
        _log_ratio(before, candles["low"]),
    )
    reach = above.where(above > below, below)
    # A scale of zero, of a price that hardly ever moves, would flag every move.
    is_far = (reach > bound * scale) & (scale > 0)
    return is_far.reindex(raw.index, fill_value=False).to_numpy()


def _log_ratio(price: pd.Series, before: pd.Series) -> pd.Series:
    return pd.Series(np.log(price / before), index=price.index)


def _stretches(asset: str, rule: str, stamps: pd.Series) -> pd.DataFrame:
    ordered = stamps.sort_values()
    stretch = (ordered.diff() > BAR).cumsum()
    spans = ordered.groupby(stretch).agg(["min", "max", "size"])
    return pd.DataFrame(
        {
            "asset": asset,
            "rule": rule,
            "action": ACTIONS[rule],
            "first": spans["min"],
            "last": spans["max"],
            "rows": spans["size"],
        }
    )


def _refuse_other_columns(asset: str, raw: pd.DataFrame) -> None:
    expected = RawCandles.to_schema().columns
    for name, column in expected.items():
        if name not in raw.columns or raw[name].dtype != column.dtype.type:
            found = str(raw[name].dtype) if name in raw.columns else "nothing"
            raise MarketError(
                f"{asset} breaks the rule schema: column {name!r} is {found}, not "
                f"{column.dtype}; correct its source."
            )


def _typed(findings: pd.DataFrame) -> pd.DataFrame:
    texts = dict.fromkeys(("asset", "rule", "action"), "str")
    stamps = dict.fromkeys(("first", "last"), TIMESTAMP_DTYPE)
    return findings.astype({**texts, **stamps, "rows": "int64"})
