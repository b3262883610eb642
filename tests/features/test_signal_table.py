from pathlib import Path

import pytest

from fleet_kedro.features.catalogue import catalogue
from fleet_kedro.features.signal_table import PAGE, main, signal_page, signal_table

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def page() -> str:
    return signal_page()


class TestTable:
    def test_it_says_something_in_every_column(self):
        table = signal_table()
        assert list(table["name"]) == [signal.name for signal in catalogue("full")]
        texts = table[["name", "family", "formula", "unit", "source"]]
        assert (texts.apply(lambda column: column.str.len()) > 0).all(axis=None)

    def test_lean_is_its_own_table(self):
        assert len(signal_table("lean")) == len(catalogue("lean"))


class TestPage:
    def test_the_committed_page_is_what_the_catalogue_generates(self, page):
        assert (ROOT / PAGE).read_text(encoding="utf-8") == page, (
            "docs/signals.md is out of date; write it again with "
            "python -m fleet_kedro.features.signal_table"
        )

    def test_every_signal_has_one_row_of_seven_cells(self, page):
        rows = [line for line in page.splitlines() if line.startswith("| `")]
        names = [row.split("`")[1] for row in rows]
        assert names == [signal.name for signal in catalogue("full")]
        assert {row.replace("\\|", "").count("|") for row in rows} == {8}

    def test_both_counts_stand_at_the_top(self, page):
        assert "463 base signals" in page
        assert "2,778 columns" in page

    def test_main_writes_the_page_where_it_is_told(self, page, tmp_path):
        main([str(tmp_path / "new" / "signals.md")])
        written = (tmp_path / "new" / "signals.md").read_text(encoding="utf-8")
        assert written == page
