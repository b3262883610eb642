"""What the forecasts were worth: every number measured, each beside its null."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.metrics.classification import count_hits
from fleet_kedro.metrics.trading import expectancy, net_return
from fleet_kedro.metrics.uniqueness import effective_signals
from fleet_kedro.validation.comparison import compare, mean_of_known
from fleet_kedro.validation.gate_regimes import gate_by_regime
from fleet_kedro.validation.rivals import BRAIN, VOLATILITY_ONLY

SCORES = ("rows", "base_rate", "signals", "precision", "recall", "lift", "net_return")


class Telemetry(NamedTuple):
    """The tables of a report.

    Attributes
    ----------
    folds, assets, fold_assets
        ``rows``, ``base_rate``, ``signals``, ``precision``, ``recall``, ``lift`` and
        ``net_return`` (mean realised net return per signal) for each fold, each asset
        (pooled over the folds), and each pair. The assets also carry the precision of
        the volatility-only rival at as many signals, intervals of ``lift``,
        ``lift_over_volatility`` and ``net_return`` (``*_low``, ``*_high``), and
        ``effective_signals``: how many signals with labels of their own the overlapping
        ones are worth.
    rivals
        The brain, its rivals and its ablations, as ``compare`` lays them out.
    gate
        Mean gate weight of each expert, a row per asset.
    gate_regimes
        The same by market regime, as ``gate_by_regime`` lays it out.
    overall
        Means over the assets, with intervals.
    """

    folds: pd.DataFrame
    assets: pd.DataFrame
    fold_assets: pd.DataFrame
    rivals: pd.DataFrame
    gate: pd.DataFrame
    gate_regimes: pd.DataFrame
    overall: pd.Series


def measure(
    forecasts: pd.DataFrame,
    picks: Mapping[str, Bool[np.ndarray, " rows"]],
    scores: Mapping[str, Float[np.ndarray, " rows"]],
    label: Label,
    bootstrap: BlockBootstrap,
) -> Telemetry:
    """Measure scored forecasts.

    Parameters
    ----------
    forecasts
        As a walk leaves them.
    picks
        For the brain and each rival, the rows that it signals.
    scores
        For those that forecast a probability, that probability.
    """
    round_trip_cost = label.round_trip_cost
    pooled = score_by(forecasts, ["asset"], round_trip_cost).set_index("asset")
    effective = effective_signals(
        forecasts, forecasts["is_signal"].to_numpy(), label.horizon_bars
    ).rename("effective_signals")
    drawn = _Drawn(forecasts, picks, round_trip_cost, bootstrap)
    gate = forecasts.filter(regex="^gate_").groupby(forecasts["asset"]).mean()
    return Telemetry(
        folds=score_by(forecasts, ["fold"], round_trip_cost),
        assets=pd.concat([pooled, drawn.by_asset(), effective], axis=1)
        .rename_axis("asset")
        .reset_index(),
        fold_assets=score_by(forecasts, ["fold", "asset"], round_trip_cost),
        rivals=compare(forecasts, picks, scores, round_trip_cost, bootstrap),
        gate=gate.rename(columns=lambda name: name.removeprefix("gate_")).reset_index(),
        gate_regimes=gate_by_regime(forecasts),
        overall=drawn.overall(),
    )


def score_by(
    forecasts: pd.DataFrame, keys: list[str], round_trip_cost: float
) -> pd.DataFrame:
    """Return counts, rates and net return of the signals, a row per group of keys."""
    return pd.DataFrame(
        [
            {**dict(zip(keys, values, strict=True)), **_scored(rows, round_trip_cost)}
            for values, rows in forecasts.groupby(keys)
        ]
    )


def _scored(rows: pd.DataFrame, round_trip_cost: float) -> dict[str, float | int]:
    is_signal = rows["is_signal"].to_numpy()
    hits = count_hits(is_signal, rows["is_positive"].to_numpy())
    return {
        "rows": hits.rows,
        "base_rate": hits.base_rate,
        "signals": hits.signals,
        "precision": hits.precision,
        "recall": hits.recall,
        "lift": hits.lift,
        "net_return": expectancy(
            is_signal, rows["forward_return"].to_numpy(), round_trip_cost
        ),
    }


class _Drawn:
    """Bootstrap draws of daily counts, from which every interval follows."""

    _COUNTS = ("rows", "positives", "signals", "hits", "net", "rivals", "rival_hits")

    def __init__(
        self,
        forecasts: pd.DataFrame,
        picks: Mapping[str, Bool[np.ndarray, " rows"]],
        round_trip_cost: float,
        bootstrap: BlockBootstrap,
    ) -> None:
        positive = forecasts["is_positive"].to_numpy()
        signal, rival = picks[BRAIN], picks[VOLATILITY_ONLY]
        net = net_return(forecasts["forward_return"].to_numpy(), round_trip_cost)
        counts = pd.DataFrame(
            {
                "day": forecasts["timestamp"].dt.floor("D"),
                "asset": forecasts["asset"],
                "rows": 1.0,
                "positives": positive,
                "signals": signal,
                "hits": signal & positive,
                "net": np.where(signal, net, 0.0),
                "rivals": rival,
                "rival_hits": rival & positive,
            }
        )
        daily = counts.astype(dict.fromkeys(self._COUNTS, "float64")).pivot_table(
            index="day", columns="asset", aggfunc="sum", fill_value=0.0
        )[list(self._COUNTS)]
        self._assets = daily["rows"].columns
        self._bootstrap = bootstrap
        sums = daily.to_numpy(dtype=np.float64)
        shape = (-1, len(self._COUNTS), len(self._assets))
        self._seen = self._statistics(sums.sum(axis=0).reshape(shape))
        self._drawn = self._statistics(bootstrap.resampled_sums(sums).reshape(shape))

    def by_asset(self) -> pd.DataFrame:
        """Return rival precision and intervals, a row per asset."""
        columns = {
            "volatility_precision": self._seen["volatility_precision"][0],
            "lift_over_volatility": self._seen["lift_over_volatility"][0],
        }
        for name in ("lift", "lift_over_volatility", "net_return"):
            intervals = [
                self._bootstrap.interval(draws) for draws in self._drawn[name].T
            ]
            columns[f"{name}_low"], columns[f"{name}_high"] = np.array(intervals).T
        return pd.DataFrame(columns, index=self._assets)

    def overall(self) -> pd.Series:
        """Return means over the assets, each with its interval."""
        values: dict[str, float] = {}
        for name, seen in self._seen.items():
            values[name] = float(mean_of_known(seen)[0])
            low, high = self._bootstrap.interval(mean_of_known(self._drawn[name]))
            values[f"{name}_low"], values[f"{name}_high"] = low, high
        return pd.Series(values)

    def _statistics(
        self, sums: Float[np.ndarray, "draws counts assets"]
    ) -> dict[str, Float[np.ndarray, "draws assets"]]:
        rows, positives, signals, hits, net, rivals, rival_hits = np.moveaxis(
            sums, 1, 0
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            precision, base_rate = hits / signals, positives / rows
            rival_precision = rival_hits / rivals
            return {
                "base_rate": base_rate,
                "precision": precision,
                "recall": hits / positives,
                "lift": precision - base_rate,
                "volatility_precision": rival_precision,
                "lift_over_volatility": precision - rival_precision,
                "net_return": net / signals,
            }
