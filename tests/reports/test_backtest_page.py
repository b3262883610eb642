"""A backtest's page, its figures and its ladder, from an account that was traded."""

import re

import numpy as np
import pandas as pd
import pytest
from plotly.offline import get_plotlyjs

from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.reports.backtest_page import (
    BacktestReport,
    backtest_lines,
    render_backtest,
)
from fleet_kedro.reports.backtest_tables import MOST_TRADES, trade_table
from fleet_kedro.reports.figures.backtest import draw_backtest
from fleet_kedro.reports.ladder_table import ladder_lines, ladder_table
from fleet_kedro.reports.units import decimals, percent
from fleet_kedro.signals.backtest.benchmarks import always_cash, buy_and_hold
from fleet_kedro.signals.backtest.decisions import Decisions
from fleet_kedro.signals.backtest.engine import trade
from fleet_kedro.signals.backtest.ladder import phase_ladder
from fleet_kedro.signals.backtest.market import market_of
from fleet_kedro.signals.backtest.performance import (
    daily_returns,
    drawdowns,
    monthly_returns,
    performance_table,
)
from fleet_kedro.signals.backtest.rules import TradingRules
from fleet_kedro.signals.backtest.trades import trades_of
from fleet_kedro.signals.phases import DEFAULT, TUNED

HOSTILE = "<script>alert('x')</script>"
BOOTSTRAP = BlockBootstrap(block_days=3, draws=200, level=0.9, seed=5)
RULES = TradingRules()


def draw_market(names=("BTC", "ETH"), days=70):
    rng = np.random.default_rng(17)
    hours = pd.date_range(
        "2022-12-10", periods=24 * days, freq="h", tz="UTC", unit="us"
    )
    parts = []
    for asset in names:
        close = 100 * np.exp(np.cumsum(0.008 * rng.standard_normal(len(hours))))
        open_ = np.append(100.0, close[:-1])
        parts.append(
            pd.DataFrame(
                {
                    "timestamp": hours,
                    "open": open_,
                    "high": np.maximum(open_, close) * 1.004,
                    "low": np.minimum(open_, close) * 0.996,
                    "close": close,
                    "volume": 1.0,
                    "asset": asset,
                    "symbol": asset,
                    "is_filled": False,
                    "segment": np.int32(0),
                }
            )
        )
    panel = pd.concat(parts).sort_values(["timestamp", "asset"], ignore_index=True)
    return market_of(panel)


def decide(market):
    rng = np.random.default_rng(4)
    weight = np.full(market.shape, np.nan)
    weight[::12] = rng.choice([0.0, 0.2, 0.4], size=weight[::12].shape)
    return Decisions(weight, market.close * 0.97, market.close * 1.05)


def accounts_of(market, name="Fleet"):
    first = market.assets[0]
    return {
        name: trade(market, decide(market), RULES),
        f"{first} held": trade(market, buy_and_hold(market, first), RULES),
        "Cash": trade(market, always_cash(market), RULES),
    }


def thresholds_of(accounts, *names):
    """Lay accounts out as if each had been traded with other thresholds."""
    daily = [daily_returns(ledger) for ledger in accounts.values()]
    return phase_ladder(dict(zip(names, daily, strict=False)), BOOTSTRAP)


def report_of(accounts, ladder=None):
    return BacktestReport(
        performance=performance_table(accounts, BOOTSTRAP),
        trades=trades_of(next(iter(accounts.values()))),
        shuffled_sharpes=np.array([-3.0, -2.0, -1.0, 40.0]),
        deflated_sharpe=0.123,
        n_trials=1234,
        rules=RULES,
        bootstrap=BOOTSTRAP,
        ladder=ladder,
        thresholds=thresholds_of(accounts, DEFAULT, TUNED),
        thresholds_used=TUNED,
        source="drawn for a test",
    )


@pytest.fixture(scope="module")
def accounts():
    return accounts_of(draw_market())


@pytest.fixture(scope="module")
def figures(accounts):
    return draw_backtest(accounts)


@pytest.fixture(scope="module")
def ladder(accounts):
    steps = {"BTC only": accounts["BTC held"], "Fleet": accounts["Fleet"]}
    daily = {name: daily_returns(ledger) for name, ledger in steps.items()}
    return phase_ladder(daily, BOOTSTRAP)


@pytest.fixture(scope="module")
def report(accounts, ladder):
    return report_of(accounts, ladder)


@pytest.fixture(scope="module")
def page(report, figures):
    return render_backtest(report, figures)


def rows_of(html):
    """Read all rows: the name, then the text of each cell, with plain minus signs."""
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', html)
    return [
        [name, *(re.sub(r"<.*?>", "", c) for c in re.findall(r"<td.*?</td>", rest))]
        for name, rest in (
            (name, rest.replace("\N{MINUS SIGN}", "-")) for name, rest in rows
        )
    ]


def section_of(page, name):
    inside = page[page.index(f'<section id="{name}">') :]
    return rows_of(inside[: inside.index("</section>")])


class TestPage:
    def test_every_account_has_its_numbers_and_intervals(self, page, report):
        rows = section_of(page, "accounts")
        assert [row[0] for row in rows] == ["Fleet", "BTC held", "Cash"] * 2
        strategy = report.performance.iloc[0]
        assert rows[0][1] == percent(strategy["total_return"])
        value, low, high = (
            decimals(strategy[f"sharpe{end}"], 2) for end in ("", "_low", "_high")
        )
        assert rows[0][5] == f"{value} [{low}, {high}]"
        assert rows[2][6] == "n/a"
        assert rows[3][1] == f"{strategy['trades']}"

    def test_trades_stand_with_their_reasons_the_latest_first(self, page, report):
        rows = section_of(page, "trades")
        trades = report.trades.iloc[::-1]
        assert len(rows) == len(trades) > 20
        assert [row[6] for row in rows] == list(trades["reason"])
        assert rows[0][0] == f"{trades['exit_time'].iloc[0]:%Y-%m-%d %H:%M}"
        assert rows[3][8] == f"{trades['pnl'].iloc[3]:,.2f}"

    def test_reasons_add_up(self, page, report):
        rows = section_of(page, "reasons")
        assert {row[0] for row in rows} == set(report.trades["reason"])
        assert sum(int(row[1].replace(",", "")) for row in rows) == len(report.trades)

    def test_cards_tell_of_luck(self, page):
        assert "75%" in page
        assert "luckiest of 1,234 trials" in page
        assert "12.3%" in page

    def test_the_ladder_is_left_out_where_there_is_none(self, page, accounts, figures):
        assert '<section id="ladder">' in page
        without = render_backtest(report_of(accounts), figures)
        assert '<section id="ladder">' not in without

    def test_both_thresholds_stand_beside_each_other(self, page, report):
        rows = section_of(page, "thresholds")
        assert [row[0] for row in rows] == [DEFAULT, TUNED]
        assert rows[1][4].startswith(decimals(report.thresholds["sharpe"].iloc[1], 2))
        assert "The strategy used: tuned thresholds." in page

    def test_it_says_where_none_were_tuned(self, report, figures):
        alone = report._replace(
            thresholds=report.thresholds.iloc[:1], thresholds_used=DEFAULT
        )
        page = render_backtest(alone, figures)
        assert [row[0] for row in section_of(page, "thresholds")] == [DEFAULT]
        assert "The strategy used: default thresholds. None were tuned" in page

    def test_nothing_is_loaded_from_anywhere(self, page):
        own = page.replace(get_plotlyjs(), "")
        assert page.count(get_plotlyjs()) == 1
        assert "http:" not in own
        assert "https:" not in own

    def test_the_same_backtest_gives_the_same_bytes(self, page, report, accounts):
        assert render_backtest(report, draw_backtest(accounts)) == page

    def test_a_hostile_name_stays_text(self):
        accounts = accounts_of(draw_market((HOSTILE, "ETH"), days=10), name=HOSTILE)
        page = render_backtest(report_of(accounts), draw_backtest(accounts))
        assert HOSTILE not in page.replace(get_plotlyjs(), "")
        assert "&lt;script&gt;alert" in page

    def test_of_many_trades_the_last_ones_are_shown(self, report):
        many = pd.concat([report.trades] * 20, ignore_index=True)
        assert len(many) > MOST_TRADES
        assert len(rows_of(trade_table(many))) == MOST_TRADES


class TestLines:
    def test_a_line_per_account(self, report):
        lines = backtest_lines(report.performance)
        assert [line.split("  ")[0] for line in lines[3:]] == [
            "Fleet",
            "BTC held",
            "Cash",
        ]
        assert percent(report.performance["total_return"].iloc[0]) in lines[3]
        assert len({len(line) for line in lines[2:]}) == 1


class TestFigures:
    def test_equity_ends_where_the_account_does(self, figures, accounts):
        lines = {trace.name: trace for trace in figures["accounts"].data}
        for name, ledger in accounts.items():
            assert lines[name].y[-1] == pytest.approx(
                ledger.equity[-1] / ledger.capital
            )
        assert figures["accounts"].layout.yaxis.type == "log"

    def test_drawdown_shows_the_worst_hour(self, figures, accounts):
        line = figures["drawdown"].data[0]
        assert -min(line.y) == pytest.approx(drawdowns(accounts["Fleet"]).max())

    def test_each_month_has_its_field(self, figures, accounts):
        (field,) = figures["months"].data
        assert list(field.y) == ["2022", "2023"]
        told = monthly_returns(daily_returns(accounts["Fleet"]))
        np.testing.assert_allclose(field.z[0][11], told["monthly_return"].iloc[0])
        np.testing.assert_allclose(field.z[1][:2], told["monthly_return"].iloc[1:])
        assert np.isnan(field.z[0][:11]).all()

    def test_exposure_by_asset_adds_up_to_that_of_the_week(self, figures, accounts):
        ledger = accounts["Fleet"]
        bars = figures["exposure"].data
        stacked = np.sum([bar.y for bar in bars], axis=0)
        # The tenth of December 2022 was a Saturday: a week of two days comes first.
        exposure = ledger.exposure.sum(axis=1)
        assert len(stacked) == 11
        np.testing.assert_allclose(stacked[0], exposure[:48].mean())
        np.testing.assert_allclose(stacked[1], exposure[48 : 48 + 168].mean())
        assert pd.DatetimeIndex(bars[0].x).day_of_week.unique().tolist() == [0]

    def test_an_account_that_never_traded_says_so(self, accounts):
        drawn = draw_backtest({"Cash": accounts["Cash"]})
        assert "never traded" in drawn["accounts"].layout.annotations[0].text
        assert "Nothing was ever held" in drawn["exposure"].layout.annotations[0].text

    def test_of_many_benchmarks_some_wait_in_the_legend(self, accounts):
        many = {f"account {n}": accounts["BTC held"] for n in range(12)}
        traces = draw_backtest(many)["accounts"].data
        assert [trace.visible for trace in traces].count("legendonly") == 5


class TestLadder:
    def test_steps_stand_with_what_they_add(self, ladder):
        rows = rows_of(ladder_table(ladder))
        assert [row[0] for row in rows] == ["BTC only", "Fleet"]
        second = ladder.iloc[1]
        assert rows[1][1] == "70"
        sign = "+" if second["gain"] > 0 else ""
        assert rows[1][6].startswith(f"{sign}{percent(second['gain'])} [")
        assert rows[1][5] == percent(second["max_drawdown"])

    def test_colour_marks_an_interval_on_one_side_of_zero(self, ladder):
        sure = ladder.assign(
            gain_low=[0.1, -0.3], gain=[0.2, -0.2], gain_high=[0.3, -0.1]
        ).assign(sharpe_gain_low=-1.0, sharpe_gain_high=1.0)
        html = ladder_table(sure)
        assert html.count('<td class="good">') == 1
        assert html.count('<td class="bad">') == 1

    def test_lines_for_the_console(self, ladder):
        lines = ladder_lines(ladder)
        assert lines[3].startswith("BTC only  ")
        assert lines[4].startswith("Fleet     ")
        assert percent(ladder["max_drawdown"].iloc[1]) in lines[4]
        assert lines[4].endswith("]")
