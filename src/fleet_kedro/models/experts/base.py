"""What the six experts share: checks at the border, and rows with nothing to learn.

An expert implements two verbs on clean arrays, ``_learn`` and ``_probability``. This
class does the rest of the scikit-learn promise once, and adds three of our own:

- a row of weight zero is removed before anything is learnt, so it has no influence;
- rows of one class only give that class's smoothed share (Laplace's rule of
  succession) instead of an error, because a short window may hold nothing else;
- linear algebra runs on one BLAS thread, because a sum that is split over threads
  rounds differently, and the same rows must give the same bytes on every machine.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

import numpy as np
from jaxtyping import Float, Shaped
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from fleet_kedro.config import Config
from fleet_kedro.models.learnt import Learnt, Restorable, check_learnt
from fleet_kedro.refine.threads import one_blas_thread

DTYPES = [np.float64, np.float32]
_CLASSES = [False, True]

# Not ``typing.Self``: the run-time type checker of the tests decorates functions, and
# outside a decorated class that name means nothing to it.
Expert = TypeVar("Expert", bound="BinaryExpert")


class BinaryExpert(Restorable, ClassifierMixin, BaseEstimator, ABC):
    """A classifier of two classes that reads one numeric view of the panel.

    Attributes
    ----------
    classes_
        The two labels, sorted; the second is the positive one.
    n_features_in_
        Columns of the view.
    base_rate_
        Weighted share of positives, ``(Σ w y + 1) / (Σ w + 2)``.
    """

    settings_type: ClassVar[type[Config]]
    """The block whose ranges the constructor's arguments must keep."""

    kept_by_all: ClassVar[Mapping[str, Any]] = {
        "base_rate_": float,
        "is_constant_": bool,
        "n_features_in_": int,
    }
    """What an expert knows that has seen one class only; ``kept`` names the rest."""

    @abstractmethod
    def _learn(
        self,
        X: Float[np.ndarray, "rows columns"],
        y: Float[np.ndarray, " rows"],
        weight: Float[np.ndarray, " rows"],
    ) -> None:
        """Learn from rows of positive weight that hold both classes, 0.0 and 1.0."""

    @abstractmethod
    def _probability(
        self, X: Float[np.ndarray, "rows columns"]
    ) -> Float[np.ndarray, " rows"]:
        """Give each row its chance of the positive class."""

    def fit(self: Expert, X: Any, y: Any, sample_weight: Any = None) -> Expert:
        """Learn from the rows whose weight is positive.

        Parameters
        ----------
        X
            (rows, columns), finite numbers.
        y
            (rows,), two classes; one class is accepted if it is 0 or 1.
        sample_weight
            (rows,), not negative, not all zero; ones by default.

        Errors
        ------
        ValueError
            Names the parameter, the label or the weight that cannot be used.
        """
        self.settings_type(**self.get_params(deep=False))
        X, y = validate_data(self, X, y, dtype=DTYPES)
        self.classes_ = _two_classes(y)
        weight = _check_sample_weight(
            sample_weight, X, dtype=np.float64, ensure_non_negative=True
        )
        counts = weight > 0.0
        positive = (y == self.classes_[1]).astype(np.float64)[counts]
        weight = weight[counts]
        self.base_rate_ = float((weight @ positive + 1.0) / (weight.sum() + 2.0))
        self.is_constant_ = bool(positive.min() == positive.max())
        if not self.is_constant_:
            with one_blas_thread():
                self._learn(X[counts], positive, weight)
        return self

    def predict_proba(self, X: Any) -> Float[np.ndarray, "rows 2"]:
        """Give the chances of the negative and of the positive class."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=DTYPES, reset=False)
        if self.is_constant_:
            probability = np.full(len(X), self.base_rate_)
        else:
            with one_blas_thread():
                probability = self._probability(X)
        return np.column_stack([1.0 - probability, probability])

    def predict(self, X: Any) -> Shaped[np.ndarray, " rows"]:
        """Name the likelier class of each row."""
        likelier = self.predict_proba(X).argmax(axis=1)
        labels: Shaped[np.ndarray, " rows"] = self.classes_[likelier]
        return labels

    def learnt(self) -> Learnt:
        """Return what was learnt from the classes False and True.

        Errors
        ------
        ValueError
            If the classes are others.
        """
        check_is_fitted(self)
        if self.classes_.tolist() != _CLASSES:
            raise ValueError(
                f"{type(self).__name__} has learnt the classes {self.classes_}; only "
                "False and True are handed on."
            )
        common = {name: getattr(self, name) for name in self.kept_by_all}
        return common if self.is_constant_ else common | self._hand_on()

    def restore(self: Expert, learnt: Learnt) -> Expert:
        """Take over what an expert with the same settings has learnt.

        Errors
        ------
        ValueError
            If a value is missing, one too many, or not what it should be.
        """
        is_constant = learnt.get("is_constant_") is True
        kept = self.kept_by_all if is_constant else {**self.kept_by_all, **self.kept}
        check_learnt(learnt, kept, type(self).__name__)
        self.classes_ = np.array(_CLASSES)
        for name in self.kept_by_all:
            setattr(self, name, learnt[name])
        if not is_constant:
            self._take_over({name: learnt[name] for name in self.kept})
        return self

    def _hand_on(self) -> Learnt:
        """Return the values that ``kept`` names."""
        return {name: getattr(self, name) for name in self.kept}

    def _take_over(self, learnt: Learnt) -> None:
        """Take the values that ``kept`` names."""
        for name, value in learnt.items():
            setattr(self, name, value)

    def __sklearn_tags__(self) -> Tags:
        """Two classes only; accuracy on toy blobs is not what an expert is for."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.classifier_tags.poor_score = True
        return tags


def _two_classes(y: Shaped[np.ndarray, " rows"]) -> Shaped[np.ndarray, "2"]:
    """Both labels in order, with the missing one restored where it must be 0 or 1."""
    kind = type_of_target(y, input_name="y", raise_unknown=True)
    if kind != "binary":
        raise ValueError(
            "Only binary classification is supported. "
            f"The type of the target is {kind}."
        )
    labels: Shaped[np.ndarray, " labels"] = np.unique(y)
    if len(labels) > 1:
        return labels
    if labels[0] not in (0, 1):
        raise ValueError(
            f"y holds one class, {labels.item()!r}, and it is neither 0 nor 1: "
            "give rows of both classes, or code them as 0 and 1."
        )
    return np.array([0, 1], dtype=labels.dtype)
