"""XGBoost: boosted trees again, with another draw of rows and signals.

Second-order boosting with penalised leaves (Chen and Guestrin 2016, section 2) over
histograms. On squared error the second order is one for each row, so penalties and the
least size of a leaf count rows, as LightGBM's do.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xgboost as xgb
from jaxtyping import Float, Float32
from pydantic import Field

from fleet_kedro.models.forecasters.trees import (
    BoostedTreesSettings,
    Lesson,
    OnTree,
    TreeForecaster,
)
from fleet_kedro.models.formats import xgboost_from_bytes, xgboost_to_bytes

Losses = Mapping[str, Mapping[str, Sequence[Any]]]
"""Data set -> metric -> a number for each round."""

_LATER = "later"
_MAX_BIN = 64


class XGBoostSettings(BoostedTreesSettings):
    """Which rows each tree, and which signals each node is grown from."""

    row_share: float = Field(
        default=0.5, gt=0, le=1, description="Rows drawn for each tree."
    )
    column_share: float = Field(
        default=0.5, gt=0, le=1, description="Signals drawn at each node."
    )


class XGBoostForecaster(TreeForecaster[XGBoostSettings, xgb.Booster]):
    """Forecast with a sum of trees, ``f(x) = η Σ_m T_m(x)``, cut where it was best.

    A leaf says ``−Σg / (Σh + l2)``, the error's mean shrunk towards zero. After each
    tree the later rows are asked; trees behind the best one are dropped, and all of
    them if even that one is no better than zero.
    """

    suffix = ".ubj"

    def _grow(self, lesson: Lesson, on_tree: OnTree) -> bytes | None:
        rows = xgb.QuantileDMatrix(
            lesson.signals, lesson.outcome, nthread=1, max_bin=_MAX_BIN
        )
        later = xgb.QuantileDMatrix(
            lesson.later_signals,
            lesson.later_outcome,
            ref=rows,
            nthread=1,
            max_bin=_MAX_BIN,
        )
        booster = xgb.train(
            self._parameters(lesson.horizon),
            rows,
            num_boost_round=self.settings.n_trees,
            evals=[(later, _LATER)],
            verbose_eval=False,
            callbacks=[
                _Told(on_tree),
                xgb.callback.EarlyStopping(
                    rounds=self.settings.patience, save_best=True
                ),
            ],
        )
        if booster.best_score**2 >= lesson.loss_of_zero:
            return None
        return xgboost_to_bytes(booster)

    def _read(self, content: bytes) -> xgb.Booster:
        return xgboost_from_bytes(content)

    def _answer(
        self, booster: xgb.Booster, signals: Float32[np.ndarray, "rows signals"]
    ) -> Float[np.ndarray, " rows"]:
        return booster.inplace_predict(signals).astype(np.float64)

    def _n_leaves(self, booster: xgb.Booster) -> int:
        return sum(tree.count("leaf=") for tree in booster.get_dump())

    def _parameters(self, horizon: int) -> dict[str, object]:
        settings = self.settings
        return {
            "objective": "reg:squarederror",
            "eval_metric": "rmse",
            "base_score": 0.0,
            "tree_method": "hist",
            "grow_policy": "lossguide",
            "max_depth": 0,
            "max_leaves": settings.max_leaves,
            "max_bin": _MAX_BIN,
            "learning_rate": settings.learning_rate,
            # Outcomes of neighbouring hours overlap: h of them tell as much as one.
            "min_child_weight": settings.min_leaf_outcomes * horizon,
            "reg_lambda": settings.l2 * horizon,
            "subsample": settings.row_share,
            "colsample_bynode": settings.column_share,
            "seed": settings.seed,
            "nthread": 1,
            "verbosity": 0,
        }


class _Told(xgb.callback.TrainingCallback):
    """Passes the loss of each round on."""

    def __init__(self, on_tree: OnTree) -> None:
        self.on_tree = on_tree

    def after_iteration(
        self, model: xgb.Booster, epoch: int, evals_log: Losses
    ) -> bool:
        """Tell, and never ask to stop."""
        del model
        self.on_tree(epoch + 1, evals_log[_LATER]["rmse"][-1] ** 2)
        return False
