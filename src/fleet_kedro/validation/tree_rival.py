"""Rivals that are boosted trees on a few signals, fitted fold by fold like the brain.

``volatility only`` knows *when* markets move, not where to. With a fixed return
threshold, a quiet hour rarely clears the costs and a wild one often does, so knowing
the volatility alone lifts precision. It is given just that: trailing volatility,
volume, the hour and the asset. What a brain adds to its precision is direction.

``quick LightGBM`` is what one would write in an afternoon: all rows, some simple
signals, no refiner, no experts. A brain that does not beat it is not worth its code.
"""

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.models.experts import TrendExpert
from fleet_kedro.models.experts.trend import TrendSettings


class TreeRival(Config):
    """Which signals the rival reads, and how its trees are grown."""

    signals: tuple[str, ...] = Field(strict=False, min_length=1)
    trees: TrendSettings

    def forecast(
        self,
        train: pd.DataFrame,
        is_positive: Bool[np.ndarray, " train"],
        validation: pd.DataFrame,
    ) -> Float[np.ndarray, " validation"]:
        """Fit on training rows, return the probability of the validation rows.

        Both frames hold ``asset`` and the signals; every row weighs the same, and all
        tell where bins end.
        """
        assets = np.unique(train["asset"].to_numpy())
        expert = TrendExpert(**{**dict(self.trees), "bin_rows": len(train)})
        expert.fit(self._inputs(train, assets), is_positive)
        return expert.predict_proba(self._inputs(validation, assets))[:, 1]

    def _inputs(
        self, rows: pd.DataFrame, assets: np.ndarray
    ) -> Float[np.ndarray, "rows columns"]:
        one_hot = rows["asset"].to_numpy()[:, np.newaxis] == assets[np.newaxis, :]
        signals = rows.loc[:, list(self.signals)].to_numpy(dtype=np.float32)
        return np.hstack([signals, one_hot.astype(np.float32)])
