"""Feature tables to walked brains, one for each fleet that is named.

``brains.py WORK BTC,ETH SOL`` walks a brain over BTC and ETH, then another over SOL:
the brain as configured, its folds and rows, and nothing that it is compared with.
Without names all assets are one fleet.
"""

import sys
from functools import partial
from pathlib import Path

import pandas as pd
from configured import PARAMETERS, configured_folds

from fleet_kedro.features.catalogue import catalogue
from fleet_kedro.validation.walk_forward import WalkSettings, walk_forward

work, *fleets = sys.argv[1:]
files = sorted((Path(work) / "features").glob("*.parquet"))
features = {file.stem: partial(pd.read_parquet, file) for file in files}
settings = WalkSettings(**PARAMETERS["walk"])
# A walk needs its null, which learns nothing here: one tree takes no time.
null = settings.volatility_null
one_tree = null.trees.model_copy(update={"n_trees": 1})
settings = settings.model_copy(
    update={
        "volatility_null": null.model_copy(update={"trees": one_tree}),
        "quick_lightgbm": None,
        "ablations": "off",
    }
)
hours = pd.read_parquet(files[0], columns=["timestamp"])["timestamp"]
folds = configured_folds(hours.min(), hours.max())
for fleet in fleets or [",".join(features)]:
    own = {asset: features[asset] for asset in fleet.split(",")}
    walk_forward(own, catalogue("full"), folds, settings)
