"""Feature tables to a walked brain: one for the fleet, or one for each asset.

The same folds, settings and rows either way; the brain as configured, without rivals
and ablations, so that the time is that of learning and forecasting alone.
"""

import sys
from functools import partial
from pathlib import Path

import pandas as pd
from kedro.config import OmegaConfigLoader

from fleet_kedro.features.catalogue import catalogue
from fleet_kedro.splits.walk_forward import WalkForward
from fleet_kedro.validation.walk_forward import WalkSettings, walk_forward

PROJECT = Path(__file__).parents[2]
# The candles come without days before the window: the first ones fill the features'.
WARMUP = pd.Timedelta(days=90)

work, company = Path(sys.argv[1]), sys.argv[2]
loader = OmegaConfigLoader(
    str(PROJECT / "conf"), base_env="base", default_run_env="base"
)
configured = loader["parameters"]
walk = WalkForward(**configured["walk_forward"])
settings = WalkSettings(**configured["walk"]).model_copy(
    update={"quick_lightgbm": None, "ablations": "off"}
)
features = {
    file.stem: partial(pd.read_parquet, file)
    for file in sorted((work / "features").glob("*.parquet"))
}
hours = next(iter(features.values()))()["timestamp"]
folds = walk.split(hours.min() + WARMUP, hours.max())
fleets = {
    "together": [features],
    "alone": [{asset: load} for asset, load in features.items()],
}
for fleet in fleets[company]:
    walk_forward(fleet, catalogue("full"), folds, settings)
