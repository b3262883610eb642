"""Sections of a validation's page: what came, what is left of it, what is inside."""

from collections.abc import Mapping

import pandas as pd

from fleet_kedro.reports import page_tables as tables
from fleet_kedro.reports.efficiency_table import efficiency_table
from fleet_kedro.reports.markup import paragraph, section
from fleet_kedro.reports.scrutiny import Scrutiny
from fleet_kedro.reports.units import percent
from fleet_kedro.validation.overfitting import OverfittingReport
from fleet_kedro.validation.telemetry import Telemetry

_COUNTED = (
    "A trial counts if it was scored on the days that are quoted. Thresholds that "
    "were tuned for production are used on none of these days, and those that were "
    "tuned for a fold were scored on earlier ones: a ledger of their own keeps them, "
    "and the page on tuning tells of it."
)


def outcome_sections(
    folds: pd.DataFrame, telemetry: Telemetry, drawn: Mapping[str, str]
) -> list[str]:
    """Tell how good the forecasts were: by asset, over time, and by fold."""
    return [
        section(
            "assets",
            "Asset by asset",
            paragraph(
                "All out-of-sample forecasts of all folds; intervals in brackets.",
                "note",
            ),
            tables.asset_table(telemetry),
            drawn["precision"],
            drawn["lift"],
        ),
        section("equity", "What the signals earned", drawn["equity"]),
        section(
            "folds",
            "Fold by fold",
            tables.fold_table(folds, telemetry),
            drawn["timeline"],
            "<h3>Precision / base rate of every asset in every fold</h3>",
            tables.fold_asset_table(telemetry),
        ),
    ]


def scrutiny_sections(
    telemetry: Telemetry, scrutiny: Scrutiny, drawn: Mapping[str, str]
) -> list[str]:
    """Tell what is left of it: beside rivals, all trials, and the best forecast."""
    return [
        section(
            "rivals",
            "The brain and its rivals",
            paragraph(
                "Means over the assets; AUC and log-loss over all rows. Each rival but "
                "always long signals as often as the brain in every fold and asset.",
                "note",
            ),
            tables.rivals_table(telemetry.rivals),
            drawn["rivals"],
            drawn["gains"],
        ),
        section(
            "overfitting",
            "What was tried",
            paragraph(_tried(scrutiny.overfitting), "note"),
            paragraph(_COUNTED, "note"),
            tables.trials_table(scrutiny.trials),
            drawn["overfitting"],
        ),
        *_efficiency(scrutiny, drawn),
    ]


def brain_sections(telemetry: Telemetry, drawn: Mapping[str, str]) -> list[str]:
    """Show the brain from inside: its probabilities, its gate, its latents."""
    return [
        section("calibration", "Calibration", drawn["calibration"]),
        section(
            "gate",
            "Gate weights",
            tables.gate_table(telemetry.gate),
            drawn["gate"],
            tables.gate_regime_table(telemetry.gate_regimes),
            drawn["gate_regimes"],
        ),
        section("loadings", "What the latents are made of", drawn["loadings"]),
    ]


def _tried(overfitting: OverfittingReport) -> str:
    return (
        f"Sharpe ratio {overfitting.annual_sharpe:.2f} a year over "
        f"{overfitting.n_days:,} days, worth {overfitting.effective_days:,.0f} "
        f"independent ones. Of {overfitting.n_trials:,} worthless trials the best "
        f"would show {overfitting.expected_maximum_sharpe:.3f} a day; the brain shows "
        f"{overfitting.daily_sharpe:.3f}. Probability that it is real: "
        f"{percent(overfitting.probabilistic_sharpe)} had it been the only trial, "
        f"{percent(overfitting.deflated_sharpe)} given all of them."
    )


def _efficiency(scrutiny: Scrutiny, drawn: Mapping[str, str]) -> list[str]:
    """Tell of the best possible forecast, where there is one to tell of."""
    if scrutiny.efficiency.empty:
        return []
    return [
        section(
            "efficiency",
            "How much of the planted edge was found",
            efficiency_table(scrutiny.efficiency),
            drawn["efficiency"],
        )
    ]
