"""An expert that learns nothing and forgets nothing: it shows who judges in sample."""

from typing import Any

import numpy as np
from jaxtyping import Float
from sklearn.base import BaseEstimator, ClassifierMixin

from fleet_kedro.models.mixture import PHYSICS_COLUMNS, MixtureOfExpertsEnsemble

MEMORY = "memory_row"
"""Column by which the expert knows a row again."""


class Notebook:
    """What the expert said of each row; all copies of an expert write into one."""

    def __init__(self) -> None:
        self.said: dict[int, float] = {}

    def __deepcopy__(self, _: dict[int, Any]) -> "Notebook":
        """Stay one notebook, however often its expert is cloned."""
        return self


class MemorisingExpert(ClassifierMixin, BaseEstimator):
    """Say of a known row what its label was, and of any other the base rate."""

    def __init__(self, *, notebook: Notebook) -> None:
        self.notebook = notebook

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "MemorisingExpert":
        """Learn the labels by heart; every row counts the same."""
        del sample_weight
        self.label_of_ = dict(zip(X[:, 0].astype(int), y.astype(float), strict=True))
        self.base_rate_ = float(np.mean(y))
        return self

    def predict_proba(self, X: Any) -> Float[np.ndarray, "rows 2"]:
        """Look each row up, and note what was said."""
        said = {
            int(row): self.label_of_.get(int(row), self.base_rate_) for row in X[:, 0]
        }
        self.notebook.said.update(said)
        probability = np.array([said[int(row)] for row in X[:, 0]])
        return np.column_stack([1.0 - probability, probability])


def with_memory(
    ensemble: type[MixtureOfExpertsEnsemble], notebook: Notebook, purge_rows: int
) -> MixtureOfExpertsEnsemble:
    """Return an unfitted ensemble whose only expert memorises."""
    return ensemble(
        experts={"memory": MemorisingExpert(notebook=notebook)},
        columns={"memory": (MEMORY,), "physics": PHYSICS_COLUMNS},
        purge_rows=purge_rows,
    )
