import json
import math

import pytest
from pydantic import ValidationError

from fleet_kedro.store.card import (
    CardVerdict,
    DataUsed,
    Metric,
    ModelCard,
    library_versions,
)
from fleet_kedro.store.card_page import card_page, in_unit, metric_words
from fleet_kedro.store.requirements import objections
from fleet_kedro.validation.verdict import Criterion as JudgedCriterion


class TestCard:
    def test_it_is_read_as_it_was_written(self, make_card):
        card = make_card().naming({"trees.txt": b"tree"})
        assert ModelCard.model_validate_json(card.to_json()) == card

    def test_equal_cards_give_equal_bytes(self, make_card):
        one = make_card(parameters={"a": 1, "b": {"x": 1, "y": 2}})
        other = make_card(parameters={"b": {"y": 2, "x": 1}, "a": 1})
        assert one.to_json() == other.to_json()

    def test_nothing_in_it_changes_from_run_to_run(self, make_card):
        keys = json.loads(make_card().to_json()).keys()
        assert keys == set(ModelCard.model_fields)
        for word in ("time", "date", "revision", "commit", "seconds", "host", "path"):
            assert not any(word in key for key in keys)

    def test_measured_numbers_keep_twelve_digits_and_nan_becomes_none(self):
        def metric(value: float) -> Metric:
            return Metric(name="rmse", value=value, null=1.0, null_name="zero")

        assert metric(0.1 + 0.2).value == 0.3
        assert metric(math.nan).value is None
        with pytest.raises(ValidationError, match="finite"):
            metric(math.inf)

    def test_files_are_listed_with_their_lengths(self, make_card):
        card = make_card().naming({"b.txt": b"123", "a.json": b"{}"})
        assert [(f.name, f.size_bytes) for f in card.files] == [
            ("a.json", 2),
            ("b.txt", 3),
        ]
        assert card.size_bytes == 5

    def test_versions_are_those_installed(self):
        told = library_versions("numpy", "lightgbm")
        assert told.keys() == {"lightgbm", "numpy", "python"}
        assert told["python"] == "3.11"

    @pytest.mark.parametrize("name", ["BTC", "btc lstm", "-btc", "btc@v1", "", "btc#1"])
    def test_a_name_that_git_and_dvc_do_not_take_is_refused(self, make_card, name):
        with pytest.raises(ValidationError, match="name"):
            make_card(name)

    def test_parameters_that_json_has_no_word_for_are_refused(self, make_card):
        with pytest.raises(ValidationError, match="parameters"):
            make_card(parameters={"x": math.nan})

    def test_a_window_that_ends_before_it_starts_is_refused(self):
        with pytest.raises(ValidationError, match="swap them"):
            DataUsed(
                source="x",
                start="2023-01-02",
                end="2023-01-01",
                rows=1,
                sha256="0" * 64,
            )


class TestVerdict:
    def test_it_takes_over_the_criteria_of_a_validation(self):
        criteria = [
            JudgedCriterion("precision", 0.6, 0.55, "percent", True, "mean"),
            JudgedCriterion("overfitting", math.nan, 0.5, "percent", False, ""),
        ]
        verdict = CardVerdict.of(each._asdict() for each in criteria)
        assert not verdict.passed
        assert [each.value for each in verdict.criteria] == [0.6, None]

    def test_it_cannot_pass_if_a_criterion_fails(self, make_card):
        criteria = make_card(passed=False).verdict.criteria
        with pytest.raises(ValidationError, match="verdict must pass if"):
            CardVerdict(passed=True, criteria=criteria)


class TestRequirements:
    def test_a_complete_card_with_a_passing_verdict_meets_them(self, make_card):
        assert objections(make_card().naming({"a.json": b"{}"})) == ()

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"libraries": {}}, "no libraries"),
            ({"parameters": {}}, "no parameters"),
            ({"folds": 0}, "no scored folds"),
            ({"metrics": ()}, "no metrics"),
            ({"trials": None}, "the number of trials was not counted"),
            ({"verdict": None}, "no verdict"),
            ({"passed": False}, "the verdict fails: RMSE below the zero forecast's"),
        ],
    )
    def test_what_is_missing_is_named(self, make_card, changes, told):
        card = make_card(**changes).naming({"a.json": b"{}"})
        assert objections(card) == (told,)

    def test_a_score_needs_its_null(self, make_card):
        metric = Metric(name="auc", value=0.6, null=None, null_name="coin")
        card = make_card(metrics=(metric,)).naming({"a.json": b"{}"})
        assert objections(card) == ("metric auc or its null has no value",)


class TestPage:
    def test_it_tells_everything_in_units_that_people_use(self, make_card):
        page = card_page(make_card().naming({"trees.txt": b"x" * 1234}))
        for told in (
            "# btc-lstm\n",
            "| kind | lstm |",
            "17,000 rows of embedded market",
            "2022-01-01 00:00 to 2023-12-31 23:00 UTC",
            "| rmse_1h | 0.36 % |  | 0.37 % | zero forecast |",
            "**PASS**",
            "| network.width | 32 |",
            "| torch | 2.13.0 |",
            "| trees.txt | 1,234 |",
        ):
            assert told in page

    def test_what_is_not_there_is_said(self, make_card):
        page = card_page(make_card(verdict=None, metrics=(), trials=None, folds=0))
        for told in ("None was given", "never scored", "not counted"):
            assert told in page

    def test_a_failing_verdict_says_so(self, make_card):
        assert "**FAIL**" in card_page(make_card(passed=False))

    def test_no_text_leaves_its_cell(self, make_card):
        page = card_page(make_card(parameters={"x": "a|b\nc\\"}))
        assert "| x | a\\|b c\\\\ |" in page

    @pytest.mark.parametrize(
        ("value", "unit", "written"),
        [
            (0.0036, "percent", "0.36 %"),
            (0.021, "points", "2.1 points"),
            (-0.0015, "basis points", "-15 bp"),
            (1234.0, "dollars", "1234 $"),
            (0.5, "number", "0.5"),
            (None, "percent", "-"),
        ],
    )
    def test_units(self, value, unit, written):
        assert in_unit(value, unit) == written

    def test_a_metric_in_a_line(self, make_card):
        (metric,) = make_card().metrics
        assert metric_words(metric) == "rmse_1h 0.36 % (zero forecast 0.37 %)"
