import numpy as np
import pandas as pd
import pytest

from fleet_kedro.market.by_asset import by_asset
from fleet_kedro.market.coverage import coverage
from fleet_kedro.market.gate import GatePolicy, inspect
from fleet_kedro.market.outages import missing_spans


def without(hours, count=60):
    return [h for h in range(count) if h not in hours]


def told(spans: pd.DataFrame, origin: pd.Timestamp) -> list[tuple[str, str, int, int]]:
    hour = pd.Timedelta(hours=1)
    return [
        (row.asset, row.rule, int((row.first - origin) / hour), row.rows)
        for row in spans.itertuples()
    ]


class TestKnownValues:
    def test_a_hole_of_all_is_an_outage_and_a_hole_of_one_is_its_own(
        self, candles_at, origin
    ):
        raw = {
            "BTC": candles_at(without({10, 11, 12})),
            "ETH": candles_at(without({10, 11, 12, 13, 40})),
            "SOL": candles_at(without({10, 11, 12})),
        }
        assert told(missing_spans(raw, 0.8), origin) == [
            ("", "outage", 10, 3),
            ("ETH", "gap", 13, 1),
            ("ETH", "gap", 40, 1),
        ]

    def test_who_is_not_listed_has_no_say(self, candles_at, origin):
        """SOL comes later and LUNA has gone: two of two lack the hour."""
        raw = {
            "BTC": candles_at(without({30})),
            "ETH": candles_at(without({30})),
            "SOL": candles_at(range(31, 60)),
            "LUNA": candles_at(range(30)),
        }
        assert told(missing_spans(raw, 1.0), origin) == [("", "outage", 30, 1)]

    @pytest.mark.parametrize(("share", "outages"), [(0.75, 1), (0.8, 0)])
    def test_nearly_all_may_do(self, candles_at, share, outages):
        raw = {name: candles_at(without({5})) for name in "ABC"}
        raw["D"] = candles_at(range(60))
        assert (missing_spans(raw, share)["rule"] == "outage").sum() == outages

    def test_a_single_asset_has_gaps_only(self, candles_at, origin):
        raw = {"BTC": candles_at(without({7}))}
        assert told(missing_spans(raw, 0.8), origin) == [("BTC", "gap", 7, 1)]

    def test_nothing_is_missing_without_candles(self, candles_at):
        assert missing_spans({"BTC": candles_at([])}, 0.8).empty


class TestCoverage:
    def test_every_hour_of_a_day_counts_once(self, candles_at, origin):
        raw = {
            "BTC": candles_at([*without({30, 31}, 72), 5]),
            "ETH": candles_at(without({30, 31, 50}, 72)[24:]),
        }
        panel = pd.concat([f.assign(asset=a) for a, f in raw.items()])
        findings = inspect(raw, GatePolicy())

        table = coverage(by_asset(panel.reset_index(drop=True)), findings)

        assert table["candles"].tolist() == [24, 22, 24, 0, 22, 23]
        assert table["outage_hours"].tolist() == [0, 2, 0] * 2
        assert table["asset"].tolist() == ["BTC"] * 3 + ["ETH"] * 3
        assert table["day"][0] == origin

    def test_present_and_missing_hours_add_up(self, candles_at):
        rng = np.random.default_rng(1)
        kept = np.sort(rng.choice(np.arange(1, 239), 180, replace=False))
        raw = {"BTC": candles_at([0, *kept.tolist(), 239])}
        findings = inspect(raw, GatePolicy())
        table = coverage({"BTC": lambda: raw["BTC"]}, findings)

        missing = findings.loc[findings["rule"] == "gap", "rows"].sum()
        assert table["candles"].sum() == 182
        assert table["candles"].sum() + missing == 240
