"""How an asset's forecasters are combined in production: the ensemble's own model.

::

    ensemble.json     weights and widths of intervals by horizon, whose weights, and
                      how features, bars and intervals are made

Weights belong to the very models that they were measured on. So each member is named
with its digest, and one that was trained anew is refused until it was weighed anew.
"""

from collections.abc import Mapping
from typing import Literal

import pandas as pd
from pydantic import Field, JsonValue, ValidationError

from fleet_kedro.config import Config
from fleet_kedro.models.conformal import ConformalSettings
from fleet_kedro.models.forecasters.bars import BarSettings
from fleet_kedro.store.bundle import StoredModel
from fleet_kedro.store.canonical import readable
from fleet_kedro.store.card import Sha256
from fleet_kedro.store.measured import MeasuredOrNot

KIND = "ensemble"
FILE = "ensemble.json"

_WEIGHT = "weight_"
_ZERO = "weight_zero"


def model_name(asset: str, kind: str = KIND) -> str:
    """Return what the registry calls an asset's forecaster, or its ensemble."""
    return f"{asset}-{kind}".lower()


class HorizonRule(Config):
    """Weights of a horizon, what is missing to one being the zero forecast's.

    Attributes
    ----------
    weights
        Of the members that have some.
    interval_width
        Half the width of an interval, in units of ``interval_scale · √h``; None where
        too few outcomes are known.
    """

    horizon: int = Field(ge=1)
    weights: dict[str, float]
    interval_width: MeasuredOrNot = None


class Reading(Config):
    """How an ensemble reads the market: as on the day on which it was weighed.

    Attributes
    ----------
    recipe
        Of the features, as JSON; `fleet_kedro.features.recipe` reads it.
    bars
        What an hour's volatility is; a member reads what it was trained on.
    intervals
        The unit of ``interval_width``.
    """

    recipe: dict[str, JsonValue]
    bars: BarSettings
    intervals: ConformalSettings


class EnsembleRule(Config):
    """An ensemble: a rule for each horizon, and its members' digests by kind."""

    format: Literal["fleet_kedro.signals.EnsembleRule/1"] = (
        "fleet_kedro.signals.EnsembleRule/1"
    )
    horizons: tuple[HorizonRule, ...] = Field(strict=False, min_length=1)
    members: dict[str, Sha256]
    reading: Reading

    @classmethod
    def of(
        cls,
        production: pd.DataFrame,
        members: Mapping[str, StoredModel],
        reading: Reading,
    ) -> "EnsembleRule":
        """Take over what a walk of the ensemble left for production.

        Parameters
        ----------
        production
            A row per horizon: ``horizon``, ``weight_{kind}``, ``interval_width``.
        members
            Its models by kind; those without any weight are left out.
        """
        horizons = tuple(
            HorizonRule(
                horizon=int(row["horizon"]),
                weights=_weights(row),
                interval_width=float(row["interval_width"]),
            )
            for _, row in production.iterrows()
        )
        used = {name for each in horizons for name in each.weights}
        digests = {kind: members[kind].digest for kind in sorted(used)}
        return cls(horizons=horizons, members=digests, reading=reading)

    def at(self, horizon: int) -> HorizonRule:
        """Return the rule of a horizon.

        Raises
        ------
        ValueError
            If there is none.
        """
        for rule in self.horizons:
            if rule.horizon == horizon:
                return rule
        raise ValueError(
            f"There are weights for {[rule.horizon for rule in self.horizons]} hours, "
            f"but none for {horizon}: train the forecasters again."
        )

    def check_member(self, kind: str, model: StoredModel) -> None:
        """Refuse a member that is not the one that was weighed.

        Raises
        ------
        ValueError
            If it is another version.
        """
        if model.digest != self.members.get(kind):
            raise ValueError(
                f"{model.card.name} is another version than the ensemble has weighed: "
                "train both again, or promote those that belong together."
            )


def rule_to_files(rule: EnsembleRule) -> dict[str, bytes]:
    """Return a rule by file name; equal rules give equal bytes."""
    return {FILE: readable(rule.model_dump(mode="json"))}


def rule_from_files(files: Mapping[str, bytes]) -> EnsembleRule:
    """Read a rule.

    Raises
    ------
    ValueError
        If the file is missing, foreign or damaged.
    """
    if sorted(files) != [FILE]:
        found = ", ".join(sorted(files)) or "nothing"
        raise ValueError(f"An ensemble is {FILE}, not {found}.")
    try:
        return EnsembleRule.model_validate_json(files[FILE])
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise ValueError(f"{FILE}, {place}: {first['msg']}.") from error


def _weights(row: pd.Series) -> dict[str, float]:
    given = {
        str(name).removeprefix(_WEIGHT): float(row[name])
        for name in row.index
        if str(name).startswith(_WEIGHT) and name != _ZERO
    }
    return {kind: weight for kind, weight in given.items() if weight > 0}
