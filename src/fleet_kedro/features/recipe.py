"""How feature tables were made: whoever learnt from them is asked with the same.

Settings change, and orders are chosen anew with every window. A model that serves was
trained before that, so it keeps the recipe of what it reads.
"""

import json

from pydantic import Field, JsonValue, ValidationError

from fleet_kedro.config import Config
from fleet_kedro.features.build import FeatureSettings

IN_CARD = "features"
"""The parameter of a model's card that holds the recipe of what it reads."""


class FeatureRecipe(Config):
    """All that feature tables depend on, beside candles and dominance.

    Attributes
    ----------
    orders
        Of ``log_price_fracdiff``, by asset; chosen before anything is forecast.
    """

    settings: FeatureSettings
    orders: dict[str, float] = Field(min_length=1)

    @classmethod
    def read(cls, told: object) -> "FeatureRecipe":
        """Read a recipe from JSON, once parsed.

        Raises
        ------
        ValueError
            If it is none; names the first thing that is wrong.
        """
        try:
            return cls.model_validate_json(json.dumps(told))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(step) for step in first["loc"]) or "recipe"
            raise ValueError(
                f"No recipe of features ({place}: {first['msg']}): build the features "
                "again, and train again."
            ) from error

    def to_json(self) -> dict[str, JsonValue]:
        """Return what `read` takes."""
        return self.model_dump(mode="json")
