"""Every number of a backtest, for a machine."""

from typing import Any

from fleet_kedro.market.schema import BAR
from fleet_kedro.reports.backtest_page import BacktestReport
from fleet_kedro.reports.json_values import plain, records
from fleet_kedro.signals.decision import SignalSettings
from fleet_kedro.signals.history import History
from fleet_kedro.signals.phases import BacktestSettings


def summarise_backtest(
    report: BacktestReport,
    history: History,
    settings: SignalSettings,
    backtest: BacktestSettings,
) -> dict[str, Any]:
    """Return what was traded, when, by which rules, and what it came to.

    What is not known is null; trades have a table of their own.
    """
    hours = history.market.hours
    return plain(
        {
            "source": report.source,
            "start": hours[0],
            "end": hours[-1] + BAR,
            "assets": list(history.market.assets),
            "accounts": records(report.performance),
            "ladder": [] if report.ladder is None else records(report.ladder),
            "thresholds": {
                "used": report.thresholds_used,
                "compared": records(report.thresholds),
            },
            "shuffled_sharpes": report.shuffled_sharpes.tolist(),
            "deflated_sharpe": report.deflated_sharpe,
            "n_trials": report.n_trials,
            "signalling": settings.model_dump(mode="json"),
            "backtest": backtest.model_dump(mode="json"),
            "bootstrap": report.bootstrap.model_dump(mode="json"),
        }
    )
