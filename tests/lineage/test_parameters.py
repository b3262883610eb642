import pytest

from fleet_kedro.lineage.catalog import Catalog
from fleet_kedro.lineage.errors import LineageError
from fleet_kedro.lineage.parameters import GLOBALS, Parameters

TUNING = "base/parameters_tuning.yml"
WALK = "base/parameters_walk.yml"
SHARED = {"seed": 7, "folds": 5, "folder": "results", "costs": {"taker": 0.001}}


def parameters(**blocks):
    written = {
        TUNING: {"tuning": {"lowest": 0.8, "label": {"seed": "${globals:seed}"}}},
        WALK: {
            "walk": {"folds": "${runtime_params:folds,${globals:folds}}"},
            "copied": "${globals:costs}",
            **blocks,
        },
    }
    return Parameters(written, SHARED)


class TestKnownValues:
    def test_a_block_comes_with_the_shared_keys_that_it_refers_to(self):
        keys = parameters().keys({"params:tuning", "params:walk"}, [])

        assert keys == {TUNING: {"tuning"}, WALK: {"walk"}, GLOBALS: {"seed", "folds"}}

    def test_a_part_of_a_block_comes_alone(self):
        assert parameters().keys({"params:tuning.lowest"}, []) == {
            TUNING: {"tuning.lowest"}
        }
        assert parameters().keys({"params:tuning.label"}, []) == {
            TUNING: {"tuning.label"},
            GLOBALS: {"seed"},
        }

    def test_a_part_of_a_shared_block_is_the_reference_to_it(self):
        keys = parameters().keys({"params:copied.taker"}, [])

        assert keys == {WALK: {"copied"}, GLOBALS: {"costs"}}

    def test_lists_and_nested_keys_are_followed(self):
        listed = parameters(grid=[{"cost": "${globals:costs.taker}"}, 1, None])

        assert listed.keys({"params:grid"}, [])[GLOBALS] == {"costs.taker"}

    def test_a_catalog_entry_comes_with_its_references_alone(self):
        entry = {"type": "json.JSONDataset", "filepath": "${globals:folder}/a.json"}
        catalog = Catalog(
            {"numbers": entry | {"filepath": "results/a.json"}},
            {"base/catalog.yml": {"numbers": entry}},
        )
        used = list(catalog.entries({"numbers"}))

        assert parameters().keys(set(), used) == {GLOBALS: {"folder"}}


class TestErrors:
    @pytest.mark.parametrize(
        ("asked", "told"),
        [
            ("tunning", r"no parameter 'tunning' .* did you mean 'tuning'"),
            ("tuning.lowst", r"'tuning' in .*tuning.yml holds no 'lowst'.*'lowest'"),
            ("tuning.lowest.more", r"'tuning.lowest' .* holds no 'more'"),
        ],
    )
    def test_what_is_not_there_is_named(self, asked, told):
        with pytest.raises(LineageError, match=told):
            parameters().keys({f"params:{asked}"}, [])

    def test_a_shared_key_that_is_not_there_is_named(self):
        with pytest.raises(LineageError, match=r"'sed'.* not in .*did you mean 'seed'"):
            parameters(grid="${globals:sed}").keys({"params:grid"}, [])

    @pytest.mark.parametrize(
        "reference", ["${env:HOME}", "${walk.folds}", "${oc.env:HOME}"]
    )
    def test_what_dvc_would_not_see_is_refused(self, reference):
        with pytest.raises(LineageError, match="DVC cannot follow"):
            parameters(grid={"a": [reference]}).keys({"params:grid"}, [])
