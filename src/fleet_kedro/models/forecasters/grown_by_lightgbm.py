"""What both models that LightGBM grows have in common: reading, asking, counting."""

from typing import TypeVar

import lightgbm as lgb
import numpy as np
from jaxtyping import Float, Float32

from fleet_kedro.models.forecasters.trees import TreeForecaster, TreesSettings
from fleet_kedro.models.formats import lightgbm_from_bytes

Settings = TypeVar("Settings", bound=TreesSettings)


class GrownByLightGBM(TreeForecaster[Settings, lgb.Booster]):
    """Trees of LightGBM: regression on squared error, kept as text."""

    suffix = ".txt"

    def _read(self, content: bytes) -> lgb.Booster:
        return lightgbm_from_bytes(content)

    def _answer(
        self, booster: lgb.Booster, signals: Float32[np.ndarray, "rows signals"]
    ) -> Float[np.ndarray, " rows"]:
        return np.asarray(booster.predict(signals, num_threads=1))

    def _n_leaves(self, booster: lgb.Booster) -> int:
        return sum(tree["num_leaves"] for tree in booster.dump_model()["tree_info"])

    def _parameters(self, horizon: int, **own: object) -> dict[str, object]:
        """Return the parameters of both, and ``own``."""
        settings = self.settings
        return {
            "objective": "regression",
            "boost_from_average": False,
            "num_leaves": settings.max_leaves,
            # Outcomes of neighbouring hours overlap: h of them tell as much as one.
            "min_data_in_leaf": settings.min_leaf_outcomes * horizon,
            "lambda_l2": settings.l2 * horizon,
            "bagging_fraction": settings.row_share,
            "bagging_freq": 1,
            "max_bin": 63,
            "seed": settings.seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbosity": -1,
            **own,
        }
