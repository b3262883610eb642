"""LightGBM: small trees, each correcting the sum of those before it.

Gradient boosting on squared error (Friedman 2001, algorithm 2) over histograms, leaf by
leaf (Ke et al. 2017).
"""

import lightgbm as lgb
from lightgbm.callback import CallbackEnv
from pydantic import Field

from fleet_kedro.models.forecasters.grown_by_lightgbm import GrownByLightGBM
from fleet_kedro.models.forecasters.trees import (
    BoostedTreesSettings,
    Lesson,
    OnTree,
)
from fleet_kedro.models.formats import lightgbm_to_bytes

_LATER = "later"


class LightGBMSettings(BoostedTreesSettings):
    """Which rows and signals each tree is grown from."""

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
