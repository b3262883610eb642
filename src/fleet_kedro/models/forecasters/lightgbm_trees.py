"""LightGBM: small trees, each correcting the sum of those before it.

Gradient boosting on squared error (Friedman 2001, algorithm 2) over histograms, leaf by
leaf (Ke et al. 2017).
"""

import lightgbm as lgb
from lightgbm.callback import CallbackEnv
from pydantic import Field

from fleet_kedro.models.forecasters.grown_by_lightgbm import GrownByLightGBM
from fleet_kedro.models.forecasters.trees import Lesson, OnTree, TreesSettings
from fleet_kedro.models.formats import lightgbm_to_bytes

_LATER = "later"


class LightGBMSettings(TreesSettings):
    """How much the trees may say; weak signals want little from each."""

    n_trees: int = Field(default=300, ge=1, description="Most trees of a horizon.")
    patience: int = Field(
        default=50, ge=1, description="Trees without a better loss on later rows."
    )
    learning_rate: float = Field(
        default=0.05, gt=0, le=1, description="Share of each tree that is added."
    )
    max_leaves: int = Field(default=8, ge=2, description="Leaves of one tree.")
    min_leaf_outcomes: int = Field(
        default=40, ge=1, description="Rows of a leaf that do not overlap: times h."
    )
    l2: float = Field(
        default=64.0, ge=0, description="Outcomes of zero added to a leaf: times h."
    )
    row_share: float = Field(
        default=0.7, gt=0, le=1, description="Rows drawn for each tree."
    )
    column_share: float = Field(
        default=0.5, gt=0, le=1, description="Signals drawn for each tree."
    )


class LightGBMForecaster(GrownByLightGBM[LightGBMSettings]):
    """Forecast with a sum of trees, ``f(x) = η Σ_m T_m(x)``, cut where it was best.

    A leaf says ``Σ e / (n + l2 h)`` of the errors ``e`` of its ``n`` rows. After each
    tree the later rows are asked; trees behind the best one are dropped, and all of
    them if even that one is no better than zero.
    """

    def _grow(self, lesson: Lesson, on_tree: OnTree) -> bytes | None:
        parameters = self._parameters(
            lesson.horizon,
            metric="l2",
            learning_rate=self.settings.learning_rate,
            feature_fraction=self.settings.column_share,
        )
        rows = lgb.Dataset(lesson.signals, lesson.outcome, params=parameters)
        later = rows.create_valid(lesson.later_signals, lesson.later_outcome)

        def tell(now: CallbackEnv) -> None:
            for _, _, loss, *_ in now.evaluation_result_list or ():
                on_tree(now.iteration + 1, float(loss))

        booster = lgb.train(
            parameters,
            rows,
            num_boost_round=self.settings.n_trees,
            valid_sets=[later],
            valid_names=[_LATER],
            callbacks=[tell, lgb.early_stopping(self.settings.patience, verbose=False)],
        )
        if booster.best_score[_LATER]["l2"] >= lesson.loss_of_zero:
            return None
        return lightgbm_to_bytes(booster)
