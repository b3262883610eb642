"""Tuned thresholds beside those of the walk, with the interval of the difference."""

import numpy as np
import pandas as pd
from jaxtyping import Float

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.metrics.trading import net_return

FLEET = "Fleet"
_COUNTS = (
    *("rows", "positives"),
    *("tuned", "tuned_hits", "tuned_net"),
    *("walk", "walk_hits", "walk_net"),
)


def compare_rules(
    judged: pd.DataFrame, label: Label, bootstrap: BlockBootstrap
) -> pd.DataFrame:
    """Pool the judged folds: a row per asset, and one for the fleet as a whole.

    Parameters
    ----------
    judged
        Forecasts with ``is_tuned`` and ``is_signal``, as `judged_rows` leaves them.

    Returns
    -------
    pandas.DataFrame
        ``asset``, ``rows``, ``base_rate``; for each rule (``tuned_*``, ``walk_*``) its
        ``signals``, ``precision`` and ``net_return`` per signal; ``gain``, the
        difference of the two net returns, and its interval ``gain_low``, ``gain_high``.
        The fleet's row counts every signal of every asset alike. NaN where a rule gave
        no signal.
    """
    daily = _daily(judged, label)
    assets = list(daily["rows"].columns)
    shape = (-1, len(_COUNTS), len(assets))
    sums = daily.to_numpy(dtype=np.float64)
    seen = _with_fleet(sums.sum(axis=0).reshape(shape))
    drawn = _with_fleet(bootstrap.resampled_sums(sums).reshape(shape))
    table = pd.DataFrame(
        {"asset": [*assets, FLEET]} | {k: v[0] for k, v in _statistics(seen).items()}
    )
    low, high = np.array(
        [bootstrap.interval(draws) for draws in _statistics(drawn)["gain"].T]
    ).T
    counts = ["rows", "tuned_signals", "walk_signals"]
    return table.assign(gain_low=low, gain_high=high).astype(
        dict.fromkeys(counts, "int64")
    )


def _daily(judged: pd.DataFrame, label: Label) -> pd.DataFrame:
    """Add up what each rule did, a row per day, a column per count and asset."""
    positive = judged["is_positive"].to_numpy()
    net = net_return(judged["forward_return"].to_numpy(), label.round_trip_cost)
    tuned, walk = judged["is_tuned"].to_numpy(), judged["is_signal"].to_numpy()
    counts = pd.DataFrame(
        {
            "day": judged["timestamp"].dt.floor("D"),
            "asset": judged["asset"],
            "rows": 1.0,
            "positives": positive,
            "tuned": tuned,
            "tuned_hits": tuned & positive,
            "tuned_net": np.where(tuned, net, 0.0),
            "walk": walk,
            "walk_hits": walk & positive,
            "walk_net": np.where(walk, net, 0.0),
        }
    )
    # An asset may lack a day: the zero that stands for it must fit every column.
    return counts.astype(dict.fromkeys(_COUNTS, "float64")).pivot_table(
        index="day", columns="asset", aggfunc="sum", fill_value=0.0
    )[list(_COUNTS)]


def _with_fleet(
    sums: Float[np.ndarray, "draws counts assets"],
) -> Float[np.ndarray, "draws counts assets_and_fleet"]:
    return np.concatenate([sums, sums.sum(axis=2, keepdims=True)], axis=2)


def _statistics(
    sums: Float[np.ndarray, "draws counts columns"],
) -> dict[str, Float[np.ndarray, "draws columns"]]:
    rows, positives, tuned, tuned_hits, tuned_net, walk, walk_hits, walk_net = (
        np.moveaxis(sums, 1, 0)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "rows": rows,
            "base_rate": positives / rows,
            "tuned_signals": tuned,
            "tuned_precision": tuned_hits / tuned,
            "tuned_net_return": tuned_net / tuned,
            "walk_signals": walk,
            "walk_precision": walk_hits / walk,
            "walk_net_return": walk_net / walk,
            "gain": tuned_net / tuned - walk_net / walk,
        }
