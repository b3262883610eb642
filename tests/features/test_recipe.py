"""A recipe is read as it was written, and nothing else is taken for one."""

import json

import pytest

from fleet_kedro.features.build import FeatureSettings
from fleet_kedro.features.recipe import FeatureRecipe

RECIPE = FeatureRecipe(
    settings=FeatureSettings(profile="lean"), orders={"BTC": 0.1796875, "SOL": 0.0}
)


def test_a_recipe_is_read_as_it_was_written():
    assert FeatureRecipe.read(json.loads(json.dumps(RECIPE.to_json()))) == RECIPE


@pytest.mark.parametrize(
    ("told", "place"),
    [
        (None, "recipe: "),
        ({"BTC": 0.4}, "settings: Field required"),
        (RECIPE.to_json() | {"orders": {}}, "orders: "),
        (RECIPE.to_json() | {"orders": {"BTC": "0.4"}}, "orders.BTC: "),
        (RECIPE.to_json() | {"more": 1}, "more: Extra inputs"),
    ],
)
def test_what_is_none_is_refused_with_the_remedy(told, place):
    with pytest.raises(ValueError, match="No recipe of features") as refused:
        FeatureRecipe.read(told)

    assert place in str(refused.value)
    assert str(refused.value).endswith("build the features again, and train again.")
