import re
from html.parser import HTMLParser

import pytest
from plotly.offline import get_plotlyjs

from fleet_kedro.reports.figures.of_report import draw_figures
from fleet_kedro.reports.page import render_page
from fleet_kedro.reports.units import (
    basis_points,
    decimals,
    in_unit,
    interval,
    percent,
    points,
)

HOSTILE = "<script>alert('x')</script>"


class Tables(HTMLParser):
    """Reads rows of cells, section by section, and minds that tags are closed."""

    _VOID = frozenset({"meta", "br", "link", "img"})

    def __init__(self):
        super().__init__()
        self.rows, self.open, self.loads, self.text = {}, [], [], []
        self._name, self._cells = "", []

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        self.loads += [names[key] for key in ("src", "href") if key in names]
        if tag not in self._VOID:
            self.open.append(tag)
        if "id" in names and tag in ("section", "div"):
            self._name = names["id"]
        if tag == "tr":
            self._cells = []
        if tag in ("td", "th"):
            self._cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag == "tr":
            self.rows.setdefault(self._name, []).append(self._cells)

    def handle_data(self, data):
        if "script" not in self.open and "style" not in self.open:
            self.text.append(data)
        if {"td", "th"} & set(self.open):
            self._cells[-1] += data


def _with_interval(row, name, write):
    return f"{write(row[name])} " + interval(
        row[f"{name}_low"], row[f"{name}_high"], write
    )


def page_of(validated):
    return render_page(
        validated.folds,
        validated.telemetry,
        validated.scrutiny,
        validated.verdict,
        validated.facts,
        draw_figures(
            validated.forecasts,
            validated.folds,
            validated.loadings,
            validated.telemetry,
            validated.scrutiny,
            validated.facts,
        ),
    )


def read(page):
    parser = Tables()
    # The library's own text is no part of the page; its tags would be none either.
    parser.feed(page.replace(get_plotlyjs(), ""))
    parser.close()
    assert parser.open == []
    return parser


@pytest.fixture(scope="module")
def page(validated):
    return page_of(validated)


@pytest.fixture(scope="module")
def tables(page):
    return read(page)


def rows_of(tables, section):
    return {row[0]: row[1:] for row in tables.rows[section]}


def minus(written):
    return written.replace("-", "\N{MINUS SIGN}")


class TestNumbers:
    def test_every_criterion_with_value_and_bound(self, tables, validated):
        rows = rows_of(tables, "verdict")

        assert len(validated.verdict.criteria) == 7
        for criterion in validated.verdict.criteria:
            assert rows[criterion.name] == [
                "✓ met" if criterion.passed else "✗ not met",
                minus(in_unit(criterion.value, criterion.unit)),
                minus(in_unit(criterion.bound, criterion.unit)),
                criterion.detail,
            ]

    def test_every_asset_with_its_nulls(self, tables, validated):
        rows = rows_of(tables, "assets")
        measured = validated.telemetry.assets.to_dict(orient="records")

        assert len(measured) == 3
        for row in measured:
            cells = rows[row["asset"]]
            assert cells[:5] == [
                f"{row['rows']:,}",
                f"{row['signals']:,}",
                percent(row["base_rate"]),
                percent(row["precision"]),
                percent(row["recall"]),
            ]
            assert cells[5].startswith(minus(points(row["lift"])))
            assert cells[6] == percent(row["volatility_precision"])
            low, high = (
                row["lift_over_volatility_low"],
                row["lift_over_volatility_high"],
            )
            assert cells[7] == minus(
                f"{points(row['lift_over_volatility'])} [{points(low)}, {points(high)}]"
            )
            assert cells[8].startswith(minus(basis_points(row["net_return"])))

    def test_colour_marks_an_interval_on_one_side_of_zero(self, page, validated):
        matrix = page[page.index('id="assets"') : page.index('id="figure-precision"')]
        judged = ["lift_over_volatility", "net_return"]
        shown = [
            *validated.telemetry.assets.to_dict(orient="records"),
            validated.telemetry.overall.to_dict(),
        ]
        good = sum(row[f"{name}_low"] > 0 for row in shown for name in judged)
        bad = sum(row[f"{name}_high"] < 0 for row in shown for name in judged)

        assert good > 0
        assert matrix.count('class="good"') == good
        assert matrix.count('class="bad"') == bad

    def test_every_rival(self, tables, validated):
        rows = rows_of(tables, "rivals")

        assert len(validated.telemetry.rivals) == 11
        for row in validated.telemetry.rivals.to_dict(orient="records"):
            assert rows[row["name"]] == [
                f"{row['signals']:,}",
                percent(row["precision"]),
                percent(row["recall"]),
                minus(points(row["lift"])),
                minus(_with_interval(row, "lift_over_volatility", points)),
                minus(_with_interval(row, "net_return", basis_points)),
                decimals(row["auc"], 3),
                decimals(row["log_loss"], 4),
            ]

    def test_every_fold_and_every_asset_in_it(self, tables, validated):
        rows = tables.rows["folds"] + tables.rows["figure-timeline"]
        by_name = {row[0]: row[1:] for row in rows}

        assert by_name["1"][:4] == [
            "2023-01-21 to 2023-02-10",
            f"{validated.folds['train_rows'].iloc[0]:,}",
            "1,440",
            "2,778 → 25",
        ]
        for row in validated.telemetry.fold_assets.to_dict(orient="records"):
            assert by_name[row["asset"]][row["fold"] - 1] == (
                f"{percent(row['precision'])} / {percent(row['base_rate'])}"
            )

    def test_every_gate_weight(self, tables, validated):
        rows = rows_of(tables, "gate")

        for row in validated.telemetry.gate.to_dict(orient="records"):
            weights = [percent(row[expert]) for expert in rows["Asset"]]
            assert rows[row["asset"]] == weights

    def test_gate_weights_by_regime_with_btc_against_doge(self, tables, validated):
        rows = rows_of(tables, "figure-gate")
        told = validated.telemetry.gate_regimes.set_index(["regime", "asset"])
        experts = list(told.columns.drop("rows"))

        assert rows["Regime"] == ["Rows", *experts]
        assert len(rows) == 1 + 4 * 4
        for regime in ("mean-reverting", "random walk", "trending", "tipping"):
            for asset in ("all", "BTC", "DOGE"):
                own = told.loc[(regime, asset)]
                assert rows[f"{regime}, {asset}"] == [
                    f"{int(own['rows']):,}",
                    *(percent(own[expert]) for expert in experts),
                ]
            apart = told.loc[(regime, "BTC")] - told.loc[(regime, "DOGE")]
            assert rows[f"{regime}, BTC minus DOGE, points"] == [
                "",
                *(minus(points(apart[expert])) for expert in experts),
            ]

    def test_what_was_tried_and_what_counts(self, tables):
        rows = rows_of(tables, "overfitting")
        text = "".join(tables.text)

        assert rows["all"] == ["12", "trend alone", "0.200", "0.010"]
        assert "Of 12 worthless trials the best would show 0.080 a day" in text
        assert "A trial counts if it was scored on the days that are quoted." in text

    def test_the_rules_of_the_run(self, tables):
        rows = rows_of(tables, "facts")

        assert rows["Window"] == ["2023-01-01 00:00 to 2023-03-01 23:00 UTC, hourly"]
        assert rows["Round-trip cost"] == ["0.20%"]
        assert rows["Purge and embargo"] == ["13 + 24 bars before each validation span"]
        assert rows["Seed"] == ["7"]


class TestVerdict:
    def test_a_fail_is_said_first(self, validate_with):
        told = read(page_of(validate_with(days=20, skill=0.0, threshold=0.55)))
        text = "".join(told.text)

        assert text.index("FAIL") < text.index("Criterion") < text.index("Base rate")
        assert "the brain must not be promoted" in text
        assert "PASS" not in text

    def test_a_pass_is_said_as_such(self, validate_with):
        passing = validate_with(skill=3.0)
        # Every expert is drawn as able as the brain, which need not beat their best.
        kept = tuple(item for item in passing.verdict.criteria if item.passed)
        told = read(page_of(passing._replace(verdict=type(passing.verdict)(kept))))

        assert len(kept) >= 4
        assert "the brain may be promoted" in "".join(told.text)


class TestSelfContained:
    def test_nothing_is_loaded_from_anywhere(self, page, tables):
        own = page.replace(get_plotlyjs(), "")

        assert tables.loads
        assert all(link.startswith("#") for link in tables.loads)
        assert "http:" not in own
        assert "https:" not in own
        assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest", own)

    def test_the_browser_is_told_to_fetch_nothing(self, page):
        assert "default-src 'none'" in page

    def test_the_library_is_inside_once(self, page):
        assert page.count(get_plotlyjs()) == 1

    def test_every_figure_has_its_own_fixed_place(self, page):
        assert re.findall(r'<div id="(figure-\w+)"', page) == [
            *("figure-precision", "figure-lift", "figure-equity", "figure-timeline"),
            *("figure-rivals", "figure-gains", "figure-overfitting"),
            *("figure-calibration", "figure-gate", "figure-gate_regimes"),
            "figure-loadings",
        ]

    def test_the_same_run_gives_the_same_bytes(self, page, validate_with):
        assert page_of(validate_with(skill=0.5)) == page


class TestNoSignal:
    def test_the_page_says_that_there_is_nothing(self, without_signals):
        told = read(page_of(without_signals))
        cells = rows_of(told, "assets")["BTC"]

        assert cells[1] == "0"
        assert cells[3] == "n/a"
        assert cells[5:] == ["n/a"] * 4
        assert "nan" not in " ".join(told.text)


class TestHostile:
    def test_names_and_reasons_stay_text(self, validate_with):
        hostile = validate_with(
            left_out={"SOL": f"SOL is left out: {HOSTILE}"},
            assets=("BTC", HOSTILE),
            days=20,
        )
        page = page_of(hostile)
        told = read(page)

        assert HOSTILE not in page
        assert HOSTILE in rows_of(told, "assets")
        assert f"SOL is left out: {HOSTILE}" in "".join(told.text)
