"""What the past has taught about forecasts, as far as it goes with today's models."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from fleet_kedro.signals.calibrated_return import CalibratedReturn
from fleet_kedro.signals.decision import SignalSettings
from fleet_kedro.signals.decision_rules import NAME, DecisionRules, rules_from_files
from fleet_kedro.store.card import ModelCard
from fleet_kedro.store.serving import Served


class Learnt(NamedTuple):
    """What may be used of it.

    Attributes
    ----------
    rules
        None where there are none that belong to the brain.
    has_thresholds
        Whether the tuned thresholds were tuned for today's settings.
    notices
        Why something is not used, in sentences.
    """

    rules: DecisionRules | None
    has_thresholds: bool
    notices: tuple[str, ...]

    @property
    def curves(self) -> CalibratedReturn | None:
        """What a probability of the brain is worth, if that is known."""
        return None if self.rules is None else self.rules.curves.curves

    def tuned_thresholds(
        self,
        volatility_ratio: Float[np.ndarray, "1 assets"],
        assets: tuple[str, ...],
        settings: SignalSettings,
    ) -> Float[np.ndarray, "1 assets"] | None:
        """Return the thresholds that come before the default ones; None for none."""
        if self.rules is None or not self.has_thresholds:
            return None
        return self.rules.tuned_thresholds(volatility_ratio, assets, settings)


def read_learnt(
    served: Served, brain: ModelCard | None, settings: SignalSettings
) -> Learnt:
    """Read the rules of the same stage, and check that they go with what uses them.

    Parameters
    ----------
    brain
        The brain that forecasts; None where none does, which needs no curves.
    """
    is_tuned = settings.threshold.tuned
    if brain is None and not is_tuned:
        return Learnt(None, has_thresholds=False, notices=())
    try:
        rules = rules_from_files(served(NAME).files)
        rules.check_horizon(settings)
        if brain is not None:
            rules.check_brain(brain)
    except ValueError as error:
        told = f"What a probability is worth is not known: {error}"
        return Learnt(None, has_thresholds=False, notices=(told,))
    try:
        if is_tuned:
            rules.thresholds.tuned_for.check(settings)
    except ValueError as error:
        told = f"The default thresholds are used: {error}"
        return Learnt(rules, has_thresholds=False, notices=(told,))
    return Learnt(rules, has_thresholds=is_tuned, notices=())
