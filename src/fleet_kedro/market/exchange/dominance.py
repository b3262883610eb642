"""Shares of the total market, a number a day, collected and kept.

A day's number is known from the next midnight on, plus a margin, never before: rows say
so in ``available_at``. A day that was not told stays missing. What was kept of an ended
day is not changed by a later answer.
"""

import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import requests

from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.exchange.clock import Clock
from fleet_kedro.market.exchange.dominance_settings import DominanceApi
from fleet_kedro.market.exchange.files import replace_file
from fleet_kedro.market.exchange.redaction import redact
from fleet_kedro.market.schema import TIMESTAMP_DTYPE, Dominance
from fleet_kedro.market.stamps import read_stamps

ONE_DAY = pd.Timedelta(days=1)
SERIES = ("BTC.D", "USDT.D")
FINAL_BELOW = 500
WORTH_REPEATING = {408, 418, 425, 429}

logger = logging.getLogger(__name__)


def update_dominance(
    folder: Path, api: DominanceApi, clock: Clock, rng: np.random.Generator
) -> pd.DataFrame:
    """Ask for the latest shares, keep them in ``folder``, and return all that are kept.

    If the address does not answer, what was kept before is returned, and a warning
    says why: candles do not wait for it.

    Returns
    -------
    pandas.DataFrame
        A ``Dominance`` frame of ended days.
    """
    path = folder / f"{api.source}.parquet"
    kept = pd.read_parquet(path) if path.is_file() else _nothing()
    now = pd.Timestamp(clock.now()).as_unit("us")
    if api.url:
        try:
            told = read_shares(_ask(api, clock, rng), api, now)
            kept = _laid_over(kept, told, now)
            folder.mkdir(parents=True, exist_ok=True)
            replace_file(path, kept.to_parquet(index=False))
        except MarketError as error:
            logger.warning("Dominance is not up to date: %s", error)
    return _known(kept, api, now)


def read_shares(answer: Any, api: DominanceApi, now: pd.Timestamp) -> pd.DataFrame:
    """Read the days and shares of an answer: ``timestamp``, ``BTC.D``, ``USDT.D``.

    Raises
    ------
    MarketError
        If the answer has another shape than the settings say; names what is missing.
    """
    try:
        found = answer
        for key in filter(None, api.records.split(".")):
            found = found[key]
        rows = found if api.shape == "daily" else [{**found, api.date_key: now}]
        shares = pd.DataFrame(
            {
                "timestamp": read_stamps(pd.Series([r[api.date_key] for r in rows])),
                SERIES[0]: [float(row[api.btc_key]) for row in rows],
                SERIES[1]: [float(row[api.usdt_key]) for row in rows],
            }
        )
    except (LookupError, TypeError, ValueError) as error:
        raise MarketError(
            f"the answer of {api.source} has no {api.records or 'list'} with "
            f"{api.date_key}, {api.btc_key} and {api.usdt_key} ({error!r}); correct "
            "the dominance settings."
        ) from None
    in_percent = shares[list(SERIES)].apply(lambda share: share.between(0, 100))
    day = shares["timestamp"].dt.floor("D").astype(TIMESTAMP_DTYPE)
    return shares.assign(timestamp=day).loc[in_percent.all(axis=1)]


def _ask(api: DominanceApi, clock: Clock, rng: np.random.Generator) -> Any:
    """Send the request until it is answered with JSON, or is clear never to be."""
    headers, secrets = _key(api)
    problem = ""
    for attempt in range(1, api.max_attempts + 1):
        wait = api.pause_after(attempt, rng)
        try:
            response = requests.get(
                str(api.url), headers=headers, timeout=api.timeout_seconds
            )
            if response.ok:
                return response.json()
            problem = f"status {response.status_code}"
            if not _may_pass(response.status_code):
                break
            told = response.headers.get("Retry-After", "")
            wait += float(told) if told.isdigit() else 0.0
        except requests.RequestException as error:
            problem = redact(f"{type(error).__name__}: {error}", secrets)[:160]
        if attempt < api.max_attempts:
            clock.sleep(wait)
    raise MarketError(f"{api.source} does not answer ({problem}).")


def _may_pass(status: int) -> bool:
    return status >= FINAL_BELOW or status in WORTH_REPEATING


def _key(api: DominanceApi) -> tuple[dict[str, str], tuple[str, ...]]:
    key = os.environ.get(api.key_variable, "") if api.key_variable else ""
    return ({api.key_header: key}, (key,)) if key else ({}, ())


def _nothing() -> pd.DataFrame:
    return pd.DataFrame(columns=["timestamp", *SERIES], dtype="float64").astype(
        {"timestamp": TIMESTAMP_DTYPE}
    )


def _laid_over(
    kept: pd.DataFrame, told: pd.DataFrame, now: pd.Timestamp
) -> pd.DataFrame:
    """Add days that are not kept yet; only a day that has not ended may change."""
    ended = kept.loc[kept["timestamp"] + ONE_DAY <= now]
    return (
        pd.concat([ended, told])
        .drop_duplicates("timestamp", keep="first")
        .sort_values("timestamp", ignore_index=True)
    )


def _known(kept: pd.DataFrame, api: DominanceApi, now: pd.Timestamp) -> pd.DataFrame:
    """Lay ended days out as a ``Dominance`` frame."""
    known_at = kept["timestamp"] + ONE_DAY + pd.Timedelta(minutes=api.margin_minutes)
    known = kept.assign(available_at=known_at).loc[known_at <= now]
    if known.empty:
        return Dominance.empty()
    long = known.melt(
        id_vars=["timestamp", "available_at"],
        value_vars=list(SERIES),
        var_name="series",
        value_name="dominance_pct",
    ).assign(source=api.source)
    columns = list(Dominance.to_schema().columns)
    stamps = dict.fromkeys(("timestamp", "available_at"), TIMESTAMP_DTYPE)
    return (
        long[columns]
        .astype({"series": "str", "source": "str", **stamps})
        .sort_values(["timestamp", "series"], ignore_index=True)
    )
