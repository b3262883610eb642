"""Every number about the forecasters, for a machine."""

from typing import Any

import pandas as pd

from fleet_kedro.reports.forecast_page import JudgedForecasters
from fleet_kedro.reports.json_values import plain, records


def summarise_forecasters(judged: JudgedForecasters) -> dict[str, Any]:
    """Return scores, weights and sizes; what is not known is null."""
    sizes: pd.DataFrame = judged.sizes
    return plain(
        {
            "source": judged.source,
            "scores": records(judged.telemetry),
            "production": records(judged.production),
            "models": records(sizes),
            "store": {"models": len(sizes), "n_bytes": sizes["n_bytes"].sum()},
        }
    )
