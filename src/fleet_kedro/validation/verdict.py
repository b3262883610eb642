"""PASS or FAIL, with the numbers that say so. A failing verdict is a result."""

from typing import Literal, NamedTuple

import pandas as pd

from fleet_kedro.validation.overfitting import OverfittingReport
from fleet_kedro.validation.rivals import ALONE, BRAIN_IN_HINDSIGHT
from fleet_kedro.validation.telemetry import Telemetry

LEAST_PRECISION = 0.55
MOST_OVERFITTING = 0.5
LEAST_DEFLATED_SHARPE = 0.95


class Criterion(NamedTuple):
    """One requirement: what was measured, what it had to exceed, both fractions.

    ``unit`` says how people write them: a share in percent, a difference of shares in
    points, a return in basis points.
    """

    name: str
    value: float
    bound: float
    unit: Literal["percent", "points", "basis points"]
    passed: bool
    detail: str


class Verdict(NamedTuple):
    """All criteria; the verdict passes when every one of them does."""

    criteria: tuple[Criterion, ...]

    @property
    def passed(self) -> bool:
        """Whether every criterion is met."""
        return all(criterion.passed for criterion in self.criteria)


def judge(
    telemetry: Telemetry,
    baseline: pd.DataFrame,
    contaminated: str,
    overfitting: OverfittingReport,
) -> Verdict:
    """Hold the telemetry against its criteria.

    Parameters
    ----------
    baseline
        ``asset`` and ``net_return`` of brains that were trained on one asset only.
    contaminated
        The asset whose fleet result must not fall below its single-asset baseline.
        An asset without a signal, in the fleet or alone, fails what it is asked.
    overfitting
        The brain beside everything else that was tried. What has no value, for want of
        days or of configurations, fails.
    """
    return Verdict(
        (
            _uncontaminated(telemetry, baseline, contaminated),
            _every_asset_earns(telemetry),
            _above(
                "Mean precision above 55 %",
                telemetry.overall["precision"],
                LEAST_PRECISION,
                "percent",
                f"mean base rate {telemetry.overall['base_rate']:.1%}",
            ),
            _above(
                "Lift over the volatility-only model above zero",
                telemetry.overall["lift_over_volatility_low"],
                0.0,
                "points",
                "lower end of the interval of its mean over the assets",
            ),
            _beats_best_expert(telemetry),
            _not_overfitted(overfitting),
            _above(
                "Deflated Sharpe ratio above 95 %",
                overfitting.deflated_sharpe,
                LEAST_DEFLATED_SHARPE,
                "percent",
                f"Sharpe {overfitting.annual_sharpe:.2f} a year, "
                f"the best of {overfitting.n_trials:,} trials",
            ),
        )
    )


def _uncontaminated(
    telemetry: Telemetry, baseline: pd.DataFrame, asset: str
) -> Criterion:
    together = _net_return_of(telemetry.assets, asset)
    alone = _net_return_of(baseline, asset)
    return Criterion(
        name=f"{asset} in the fleet at or above {asset} alone",
        value=together,
        bound=alone,
        unit="basis points",
        passed=bool(together >= alone),
        detail="net return per signal",
    )


def _every_asset_earns(telemetry: Telemetry) -> Criterion:
    net = telemetry.assets.set_index("asset")["net_return"]
    earning = int((net > 0).sum())
    return Criterion(
        name="Every asset profitable",
        value=float(net.min(skipna=False)),
        bound=0.0,
        unit="basis points",
        passed=earning == len(net),
        detail=f"{earning} of {len(net)} assets; the lowest net return per signal",
    )


def _beats_best_expert(telemetry: Telemetry) -> Criterion:
    precision = telemetry.rivals.set_index("name")["precision"]
    alone = precision[precision.index.str.endswith(ALONE)]
    return _above(
        "Mean precision above the best single expert",
        precision[BRAIN_IN_HINDSIGHT],
        alone.max(),
        "percent",
        f"{alone.idxmax()}; both in hindsight" if alone.notna().any() else "no signal",
    )


def _not_overfitted(overfitting: OverfittingReport) -> Criterion:
    probability = overfitting.probability_of_overfitting
    return Criterion(
        name="Probability of backtest overfitting below 50 %",
        value=probability,
        bound=MOST_OVERFITTING,
        unit="percent",
        passed=bool(probability < MOST_OVERFITTING),
        detail=f"{overfitting.n_configurations} configurations, "
        f"{overfitting.n_splits:,} splits of the days",
    )


def _above(
    name: str,
    value: float,
    bound: float,
    unit: Literal["percent", "points", "basis points"],
    detail: str,
) -> Criterion:
    value, bound = float(value), float(bound)
    return Criterion(name, value, bound, unit, value > bound, detail)


def _net_return_of(table: pd.DataFrame, asset: str) -> float:
    own = table.loc[table["asset"] == asset, "net_return"]
    return float(own.iloc[0]) if len(own) else float("nan")
