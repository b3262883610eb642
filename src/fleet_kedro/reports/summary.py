"""A validation as one JSON document: the same tables, for machines."""

from typing import Any

import pandas as pd

from fleet_kedro.reports.facts import RunFacts
from fleet_kedro.reports.json_values import plain, records
from fleet_kedro.reports.scrutiny import Scrutiny
from fleet_kedro.validation.overfitting import OverfittingReport
from fleet_kedro.validation.telemetry import Telemetry
from fleet_kedro.validation.verdict import Verdict


def summarise(
    folds: pd.DataFrame,
    telemetry: Telemetry,
    scrutiny: Scrutiny,
    verdict: Verdict,
    facts: RunFacts,
) -> dict[str, Any]:
    """Return verdict, measurements and facts as plain JSON values.

    Shares and returns are fractions (0.01 is one percent), moments ISO 8601 in UTC;
    what has no value (the precision of no signal) or no finite one is ``null``.

    Parameters
    ----------
    folds
        A row per scored fold, as a walk leaves them: spans, rows, columns, latents.
    """
    return plain(
        {
            "verdict": {
                "passed": verdict.passed,
                "criteria": [criterion._asdict() for criterion in verdict.criteria],
            },
            "overall": telemetry.overall.to_dict(),
            "assets": records(telemetry.assets),
            "folds": records(folds.merge(telemetry.folds, on="fold", how="left")),
            "fold_assets": records(telemetry.fold_assets),
            "rivals": records(telemetry.rivals),
            "gate": records(telemetry.gate),
            "gate_regimes": records(telemetry.gate_regimes),
            "overfitting": _overfitting(scrutiny.overfitting),
            "trials": records(scrutiny.trials),
            "efficiency": records(scrutiny.efficiency),
            "facts": _facts(facts),
        }
    )


def _overfitting(report: OverfittingReport) -> dict[str, Any]:
    told = {name: value for name, value in report._asdict().items() if name != "logits"}
    return {
        **told,
        "annual_sharpe": report.annual_sharpe,
        "n_splits": report.n_splits,
        "probability_of_overfitting": report.probability_of_overfitting,
    }


def _facts(facts: RunFacts) -> dict[str, Any]:
    return {
        "source": facts.source,
        "start": facts.start,
        "end": facts.end,
        "assets": list(facts.assets),
        "left_out": dict(facts.left_out),
        "label": facts.label.model_dump(),
        "walk": {
            **facts.walk.model_dump(),
            "purge_bars": facts.walk.purge_bars,
        },
        "bootstrap": facts.bootstrap.model_dump(),
        "seed": facts.seed,
    }
