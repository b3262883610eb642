r"""How near the brain comes to the best possible forecast of a synthetic market.

A synthetic market stores, for every row, the probability ``p*`` that nobody can improve
on (see ``market.synthetic``). Ranked by it, at as many signals as the brain gave in
every fold and asset, it picks the best rows that there are. With the lift of a pick as
its precision minus the base rate, averaged over the assets,

.. math:: \text{efficiency} = \text{lift of the brain} / \text{lift of the best pick}.

``p*`` also knows the volatility and the trends of the hours ahead, which no candle
tells, so an efficiency of one is beyond anybody's reach.

Everything is measured twice over. The brain signals by thresholds from the past, while
the best pick looks back over the whole span of a fold; picked in that way too (*in
hindsight*), the brain is compared like with like. And a precision may count outcomes,
or average ``p*`` over the picked rows: that is the precision to be *expected* from
them, free of the luck of the noise to come, so its efficiency is known far better.
"""

import numpy as np
import pandas as pd
from jaxtyping import Float

from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.metrics.classification import log_loss
from fleet_kedro.validation.comparison import mean_of_known
from fleet_kedro.validation.rivals import BRAIN, BRAIN_IN_HINDSIGHT, rival_picks

ALL = "all"
EFFICIENCIES = (
    "efficiency",
    "hindsight_efficiency",
    "expected_efficiency",
    "expected_hindsight_efficiency",
)
COLUMNS = [
    *("regime", "rows", "signals", "base_rate", "precision", "lift"),
    *("hindsight_precision", "hindsight_lift", "bayes_precision", "bayes_lift"),
    *(f"{name}{end}" for name in EFFICIENCIES for end in ("", "_low", "_high")),
    *("log_loss", "bayes_log_loss"),
]

_BAYES = "best possible"
_PICKS = {BRAIN: "", BRAIN_IN_HINDSIGHT: "hindsight_", _BAYES: "bayes_"}
_OUTCOMES = ("", "expected_")
_COUNTS = [
    *("rows", "positives", "expected_positives"),
    *(f"{kind}signals" for kind in _PICKS.values()),
    *(f"{outcome}{kind}hits" for outcome in _OUTCOMES for kind in _PICKS.values()),
]

_Draws = dict[str, Float[np.ndarray, " draws"]]


def planted_efficiency(
    forecasts: pd.DataFrame, truth: pd.DataFrame, bootstrap: BlockBootstrap
) -> pd.DataFrame:
    """Hold scored forecasts against the planted truth.

    Parameters
    ----------
    forecasts
        As a walk leaves them.
    truth
        A ``PlantedTruth`` that covers every forecast; empty for a real market.

    Returns
    -------
    pandas.DataFrame
        A row per regime, by name, and one for ``all``; none without a truth. Of the
        brain's own signals ``precision`` and ``lift``; the same of its picks in
        hindsight (``hindsight_*``) and of the best ones (``bayes_*``), all of them
        fractions, averaged over the assets that have a signal. In the row of a regime,
        rows are picked among those of the regime. The ``efficiency`` of each kind and
        its interval (``*_low``, ``*_high``) are NaN where the best pick has no lift.
        ``log_loss`` and ``bayes_log_loss`` are means over the rows, in nats.

    Raises
    ------
    ValueError
        If the truth is that of another market and lacks a forecast's row.
    """
    if truth.empty:
        return pd.DataFrame(columns=COLUMNS)
    told = _with_truth(forecasts, truth)
    by_regime = {str(name): rows for name, rows in told.groupby("regime")}
    days = pd.DatetimeIndex(told["timestamp"].dt.floor("D").unique()).sort_values()
    return pd.DataFrame(
        [
            {"regime": name, **_measured(rows, days, bootstrap)}
            for name, rows in {**by_regime, ALL: told}.items()
        ],
        columns=COLUMNS,
    )


def _with_truth(forecasts: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    keys = ["timestamp", "asset"]
    known = truth[[*keys, "regime", "probability"]]
    told = forecasts.merge(
        known.rename(columns={"probability": "bayes"}),
        on=keys,
        how="left",
        validate="one_to_one",
    )
    unknown = told["bayes"].isna()
    if unknown.any():
        first = told.loc[unknown].iloc[0]
        raise ValueError(
            f"{unknown.sum()} forecasts have no planted truth, {first['asset']} at "
            f"{first['timestamp']} the first: give the truth of the same market."
        )
    return told


def _measured(
    rows: pd.DataFrame, days: pd.DatetimeIndex, bootstrap: BlockBootstrap
) -> dict[str, float | int]:
    is_positive = rows["is_positive"].to_numpy()
    daily = _daily_counts(rows, days)
    sums = daily.to_numpy(dtype=np.float64)
    seen = _statistics(sums.sum(axis=0, keepdims=True))
    drawn = _statistics(bootstrap.resampled_sums(sums))
    values: dict[str, float | int] = {
        "rows": len(rows),
        "signals": int(rows["is_signal"].sum()),
        **{name: float(value[0]) for name, value in seen.items()},
        "log_loss": float(log_loss(rows["probability"].to_numpy(), is_positive).mean()),
        "bayes_log_loss": float(log_loss(rows["bayes"].to_numpy(), is_positive).mean()),
    }
    for name in EFFICIENCIES:
        low, high = bootstrap.interval(drawn[name])
        values |= {f"{name}_low": low, f"{name}_high": high}
    return values


def _daily_counts(rows: pd.DataFrame, days: pd.DatetimeIndex) -> pd.DataFrame:
    """Add up what every statistic follows from: a row per day, count and asset in turn.

    A day without the regime is a day of zeros, so that blocks of days stay what they
    are.
    """
    chance = rows["bayes"].to_numpy()
    picks = rival_picks(rows, {BRAIN: rows["probability"].to_numpy(), _BAYES: chance})
    outcomes = {"": rows["is_positive"].to_numpy().astype(np.float64)}
    outcomes["expected_"] = chance
    counts = {
        "day": rows["timestamp"].dt.floor("D"),
        "asset": rows["asset"],
        "rows": 1.0,
    }
    # Over a whole fold all picks are equally many, but not so on the days of a draw.
    for pick, kind in _PICKS.items():
        counts[f"{kind}signals"] = picks[pick].astype(np.float64)
    for outcome, value in outcomes.items():
        counts[f"{outcome}positives"] = value
        for pick, kind in _PICKS.items():
            counts[f"{outcome}{kind}hits"] = np.where(picks[pick], value, 0.0)
    daily = pd.DataFrame(counts).pivot_table(
        index="day", columns="asset", aggfunc="sum", fill_value=0.0
    )
    return daily[_COUNTS].reindex(days, fill_value=0.0)


def _statistics(sums: Float[np.ndarray, "draws columns"]) -> _Draws:
    """Compute rates, lifts and efficiencies from sums of the daily counts."""
    by_asset = sums.reshape(len(sums), len(_COUNTS), -1)
    count = dict(zip(_COUNTS, np.moveaxis(by_asset, 1, 0), strict=True))
    told: _Draws = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for outcome in _OUTCOMES:
            base_rate = count[f"{outcome}positives"] / count["rows"]
            told[f"{outcome}base_rate"] = mean_of_known(base_rate)
            for kind in _PICKS.values():
                precision = count[f"{outcome}{kind}hits"] / count[f"{kind}signals"]
                told[f"{outcome}{kind}precision"] = mean_of_known(precision)
                told[f"{outcome}{kind}lift"] = mean_of_known(precision - base_rate)
            best = told[f"{outcome}bayes_lift"]
            reachable = np.where(best > 0, best, np.nan)
            for kind in ("", "hindsight_"):
                told[f"{outcome}{kind}efficiency"] = (
                    told[f"{outcome}{kind}lift"] / reachable
                )
    return told
