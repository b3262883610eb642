import json

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from rich.table import Table

from fleet_kedro.audit.checks import ORDER, TRUNCATE
from fleet_kedro.audit.examine import Outcome
from fleet_kedro.audit.pairing import Difference
from fleet_kedro.audit.planted import planted_leaks
from fleet_kedro.audit.tables import (
    as_record,
    closing_sentence,
    failure_line,
    failures,
    leak_table,
    outcome_table,
)

MOMENT = pd.Timestamp("2023-05-06 07:00", tz="UTC")
FOUND = Outcome(
    "rsi_5", "signals", TRUNCATE, 40, Difference(0.25, MOMENT, "ETH", "rsi_5")
)
ENDLESS = FOUND._replace(difference=Difference(np.inf, MOMENT, "ETH", "rsi_5"))
PASSED = Outcome("rsi_8", "signals", TRUNCATE, 60, None)
EMPTY = Outcome("label", "label", ORDER, 0, None)


def drawn(table: Table) -> list[list[str]]:
    console = Console(width=200, record=True, file=None, quiet=True)
    console.print(table)
    cells = [[str(cell) for cell in column.cells] for column in table.columns]
    return [list(row) for row in zip(*cells, strict=True)]


class TestOutcomeTable:
    def test_a_row_per_group_counts_what_was_found(self):
        rows = drawn(outcome_table([FOUND, PASSED, EMPTY]))
        assert rows == [
            ["signals", "2", "1 found", "-", "-", "-", "-"],
            ["label", "1", "-", "-", "-", "not tried", "-"],
        ]

    def test_verbose_gives_every_step_a_row(self):
        rows = drawn(outcome_table([FOUND, PASSED], verbose=True))
        assert [row[:3] for row in rows] == [
            ["rsi_5", "1", "1 found"],
            ["rsi_8", "1", "ok"],
        ]


class TestLeakTable:
    def test_a_leak_that_only_another_check_has_seen_counts_as_missed(self):
        centred = planted_leaks()[0]
        other = FOUND._replace(step=centred.step.name, check=ORDER)
        assert drawn(leak_table([centred], [other]))[0][-1] == "not found"
        right = other._replace(check=centred.check)
        assert drawn(leak_table([centred], [right]))[0][-1] == centred.check


class TestSentences:
    def test_a_finding_tells_what_when_where_and_how_much(self):
        assert failure_line(FOUND) == (
            "rsi_5, future cut off: rsi_5 differs by up to 0.25, first at "
            "2023-05-06 07:00 of ETH."
        )
        assert "in which numbers are known" in failure_line(ENDLESS)

    def test_nothing_compared_tells_what_to_do(self):
        assert "audit more days" in failure_line(EMPTY)

    @pytest.mark.parametrize(
        ("outcomes", "sentence"),
        [
            ([PASSED], "Nothing leaks: 1 steps, 1 checks, 60 numbers compared."),
            (
                [FOUND, PASSED],
                "1 of the steps did not pass: 2 steps, 2 checks, 100 numbers compared.",
            ),
        ],
    )
    def test_the_last_sentence_says_how_it_ended(self, outcomes, sentence):
        assert closing_sentence(outcomes) == sentence

    def test_an_empty_check_is_a_failure(self):
        assert failures([PASSED, EMPTY, FOUND]) == [EMPTY, FOUND]


class TestRecord:
    def test_it_is_json_even_where_a_number_faced_none(self):
        record = as_record([ENDLESS, PASSED], seed=3)
        again = json.loads(json.dumps(record, allow_nan=False))
        assert again == record
        assert not record["passed"]
        assert record["seed"] == 3
        assert record["outcomes"][0]["worst"] is None
        assert record["outcomes"][0]["moment"] == "2023-05-06T07:00:00+00:00"
        assert record["outcomes"][1] == {
            "step": "rsi_8",
            "group": "signals",
            "check": TRUNCATE,
            "status": "ok",
            "compared": 60,
        }
