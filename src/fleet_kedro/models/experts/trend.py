"""Trend: many shallow trees, each correcting the sum of those before it.

The expert of interactions: a latent that matters only where the physics says that the
market has memory. Gradient boosting (Friedman 2001, section 4.5, two-class logistic)
as LightGBM does it (Ke et al. 2017).
"""

from typing import ClassVar

import lightgbm as lgb
import numpy as np
from jaxtyping import Float
from pydantic import Field

from fleet_kedro.config import Config
from fleet_kedro.models.experts.base import BinaryExpert
from fleet_kedro.models.formats import lightgbm_from_bytes, lightgbm_to_bytes
from fleet_kedro.models.learnt import Learnt


class TrendSettings(Config):
    """How much the trees may say; weak signals want little from each."""

    n_trees: int = Field(default=200, ge=1, description="Boosting steps.")
    learning_rate: float = Field(
        default=0.03, gt=0, le=1, description="Share of each tree that is added."
    )
    max_leaves: int = Field(default=8, ge=2, description="Leaves of one tree.")
    min_leaf_share: float = Field(
        default=0.005, gt=0, lt=0.5, description="Least share of the weight in a leaf."
    )
    row_share: float = Field(
        default=0.5, gt=0, le=1, description="Rows drawn for every five trees."
    )
    column_share: float = Field(
        default=0.5, gt=0, le=1, description="Columns drawn for each tree."
    )
    l2: float = Field(
        default=10.0, ge=0, description="Penalty on a leaf's squared log odds."
    )
    bin_rows: int = Field(
        default=20_000, ge=1, description="Rows that tell where the 63 bins end."
    )
    threads: int = Field(
        default=1,
        ge=1,
        description="No effect on the result; more than the idle cores is slow.",
    )
    random_state: int = Field(default=0, ge=0, description="Draws rows and columns.")


class TrendExpert(BinaryExpert):
    """Log odds as a sum of trees: ``p = σ(f₀ + η Σ_m T_m(x))``.

    ``f₀`` is the weighted base rate's log odds, ``η`` the learning rate. Leaf values
    are Newton steps ``−Σg / (Σh + l2)``. A leaf holds at least ``min_leaf_share`` of
    the curvature ``Σ w p̄ (1 − p̄)`` of the rows drawn: a floor in weight, not in rows.
    Rows drawn anew for every five trees keep one from copying the other.
    """

    settings_type = TrendSettings
    kept: ClassVar = {"booster_": bytes}

    def __init__(
        self,
        *,
        n_trees: int = 200,
        learning_rate: float = 0.03,
        max_leaves: int = 8,
        min_leaf_share: float = 0.005,
        row_share: float = 0.5,
        column_share: float = 0.5,
        l2: float = 10.0,
        bin_rows: int = 20_000,
        threads: int = 1,
        random_state: int = 0,
    ) -> None:
        self.n_trees = n_trees
        self.learning_rate = learning_rate
        self.max_leaves = max_leaves
        self.min_leaf_share = min_leaf_share
        self.row_share = row_share
        self.column_share = column_share
        self.l2 = l2
        self.bin_rows = bin_rows
        self.threads = threads
        self.random_state = random_state

    def _learn(
        self,
        X: Float[np.ndarray, "rows columns"],
        y: Float[np.ndarray, " rows"],
        weight: Float[np.ndarray, " rows"],
    ) -> None:
        share = weight @ y / weight.sum()
        curvature = float(weight.sum() * share * (1.0 - share))
        parameters = self._parameters(min_curvature=self.min_leaf_share * curvature)
        rows = lgb.Dataset(X, y, weight=weight, params=parameters)
        self.booster_ = lgb.train(parameters, rows, num_boost_round=self.n_trees)

    def _probability(
        self, X: Float[np.ndarray, "rows columns"]
    ) -> Float[np.ndarray, " rows"]:
        return np.asarray(self.booster_.predict(X, num_threads=self.threads))

    def _hand_on(self) -> Learnt:
        return {"booster_": lightgbm_to_bytes(self.booster_)}

    def _take_over(self, learnt: Learnt) -> None:
        self.booster_ = lightgbm_from_bytes(learnt["booster_"])
        if self.booster_.num_feature() != self.n_features_in_:
            raise ValueError(
                f"The trees read {self.booster_.num_feature()} columns and their "
                f"expert {self.n_features_in_}: take the files of one model."
            )

    def _parameters(self, *, min_curvature: float) -> dict[str, object]:
        return {
            "objective": "binary",
            "learning_rate": self.learning_rate,
            "num_leaves": self.max_leaves,
            "min_data_in_leaf": 1,
            # A bag holds row_share of the curvature, and its leaves as much of theirs.
            "min_sum_hessian_in_leaf": min_curvature * self.row_share,
            "bagging_fraction": self.row_share,
            "bagging_freq": 5,
            "feature_fraction": self.column_share,
            "lambda_l2": self.l2,
            "max_bin": 63,
            "bin_construct_sample_cnt": self.bin_rows,
            "seed": self.random_state,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": self.threads,
            "verbosity": -1,
        }
