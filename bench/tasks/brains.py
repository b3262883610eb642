"""Feature tables to a walked brain: one for the fleet, or one for each asset.

The same folds, settings and rows either way; the brain as configured, without rivals
and ablations, so that the time is that of learning and forecasting alone.
"""

import sys
from functools import partial
from pathlib import Path

import pandas as pd
from configured import PARAMETERS, configured_folds

from fleet_kedro.features.catalogue import catalogue
from fleet_kedro.validation.walk_forward import WalkSettings, walk_forward

work, company = Path(sys.argv[1]), sys.argv[2]
settings = WalkSettings(**PARAMETERS["walk"]).model_copy(
    update={"quick_lightgbm": None, "ablations": "off"}
)
features = {
    file.stem: partial(pd.read_parquet, file)
    for file in sorted((work / "features").glob("*.parquet"))
}
hours = next(iter(features.values()))()["timestamp"]
folds = configured_folds(hours.min(), hours.max())
fleets = {
    "together": [features],
    "alone": [{asset: load} for asset, load in features.items()],
}
for fleet in fleets[company]:
    walk_forward(fleet, catalogue("full"), folds, settings)
