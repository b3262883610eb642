"""The figures of a validation's report, by name."""

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
