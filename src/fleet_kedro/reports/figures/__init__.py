"""The figures of a report, one a file, each drawn from tables alone.

``precision``    what signals were right about, beside what blind ones would be
``lift``         what the brain adds to that, with intervals
``equity``       what the signals would have earned over time
``calibration``  whether a forecast probability means what it says
``rivals``       the brain among those it has to beat
``gains``        what it has above each of them, with intervals
``overfitting``  whether the best of one half of the days stays good in the other
``efficiency``   the brain beside the best possible forecast of a synthetic market
``gate``         whom the brain listens to, asset by asset
``gate_regimes`` the same, market by market
``loadings``     which families of signals the latents are made of
``timeline``     which past each fold learnt from
"""

import pandas as pd
import plotly.graph_objects as go

from fleet_kedro.reports.facts import RunFacts
from fleet_kedro.reports.figures.calibration import draw_calibration
from fleet_kedro.reports.figures.efficiency import draw_efficiency
from fleet_kedro.reports.figures.equity import draw_equity
from fleet_kedro.reports.figures.gains import draw_gains
from fleet_kedro.reports.figures.gate import draw_gate, draw_gate_regimes
from fleet_kedro.reports.figures.lift import draw_lift
from fleet_kedro.reports.figures.loadings import draw_loadings
from fleet_kedro.reports.figures.overfitting import draw_overfitting
from fleet_kedro.reports.figures.precision import draw_precision
from fleet_kedro.reports.figures.rivals import draw_rivals
from fleet_kedro.reports.figures.timeline import draw_timeline
from fleet_kedro.reports.scrutiny import Scrutiny
from fleet_kedro.validation.telemetry import Telemetry

__all__ = ["draw_figures"]


def draw_figures(
    forecasts: pd.DataFrame,
    folds: pd.DataFrame,
    loadings: pd.DataFrame,
    telemetry: Telemetry,
    scrutiny: Scrutiny,
    facts: RunFacts,
) -> dict[str, go.Figure]:
    """Draw every figure of the report, by name."""
    return {
        "precision": draw_precision(telemetry),
        "lift": draw_lift(telemetry),
        "equity": draw_equity(forecasts, facts.label),
        "calibration": draw_calibration(forecasts),
        "rivals": draw_rivals(telemetry.rivals),
        "gains": draw_gains(telemetry.rivals),
        "overfitting": draw_overfitting(scrutiny.overfitting),
        "efficiency": draw_efficiency(scrutiny.efficiency),
        "gate": draw_gate(telemetry.gate),
        "gate_regimes": draw_gate_regimes(telemetry.gate_regimes),
        "loadings": draw_loadings(loadings),
        "timeline": draw_timeline(folds),
    }
