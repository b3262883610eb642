"""Random forest: the mean of many trees, each grown on its own draw of the past.

Trees that differ average their noise away (Breiman 2001). They differ because each sees
a part of the rows, and each node a part of the signals. Grown by LightGBM's ``rf`` mode
(Ke et al. 2017), whose histograms make it fast and whose text needs no unpickler; it
draws rows without replacement, where Breiman draws as many as there are with it.
"""

import lightgbm as lgb
from pydantic import Field

from fleet_kedro.models.forecasters.grown_by_lightgbm import GrownByLightGBM
from fleet_kedro.models.forecasters.trees import Lesson, OnTree, TreesSettings
from fleet_kedro.models.formats import lightgbm_to_bytes


class RandomForestSettings(TreesSettings):
    """How many trees, and how much each of them may say."""

    n_trees: int = Field(default=100, ge=1, description="Trees of a horizon.")
    max_leaves: int = Field(default=64, ge=2, description="Leaves of one tree.")
    min_leaf_outcomes: int = Field(
        default=20, ge=1, description="Rows of a leaf that do not overlap: times h."
    )
    l2: float = Field(
        default=0.0, ge=0, description="Outcomes of zero added to a leaf: times h."
    )
    row_share: float = Field(
        default=0.5, gt=0, lt=1, description="Rows drawn for each tree."
    )
    column_share: float = Field(
        default=0.5, gt=0, le=1, description="Signals drawn at each node."
    )


class RandomForestForecaster(GrownByLightGBM[RandomForestSettings]):
    """Forecast with the mean of trees, ``f(x) = (1/M) Σ_m T_m(x)``.

    A forest does not learn too much by growing on, so the later rows stop nothing here;
    they only say which share of its forecast is kept.
    """

    def _grow(self, lesson: Lesson, on_tree: OnTree) -> bytes:
        parameters = self._parameters(
            lesson.horizon,
            boosting="rf",
            feature_fraction_bynode=self.settings.column_share,
        )
        booster = lgb.train(
            parameters,
            lgb.Dataset(lesson.signals, lesson.outcome, params=parameters),
            num_boost_round=self.settings.n_trees,
            callbacks=[lambda now: on_tree(now.iteration + 1, None)],
        )
        return lightgbm_to_bytes(booster)
