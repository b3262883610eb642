"""What the project's configuration says of the folds and of all else."""

from pathlib import Path
from typing import Any

import pandas as pd
from kedro.config import OmegaConfigLoader

from fleet_kedro.splits.walk_forward import Fold, WalkForward

# The candles come without days before the window: the first ones fill the features'.
_WARMUP = pd.Timedelta(days=90)
_loader = OmegaConfigLoader(
    str(Path(__file__).parents[2] / "conf"), base_env="base", default_run_env="base"
)

PARAMETERS: dict[str, Any] = _loader["parameters"]


def configured_folds(first: pd.Timestamp, last: pd.Timestamp) -> list[Fold]:
    """Return the folds over hours of candles, behind those that warm features up."""
    walk = WalkForward(**PARAMETERS["walk_forward"])
    return walk.split(first + _WARMUP, last)
