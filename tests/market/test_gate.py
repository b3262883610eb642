import numpy as np
import pandas as pd
import pytest

from fleet_kedro.market.cleaning import sift
from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.gate import (
    ACTIONS,
    FINDING,
    GatePolicy,
    describe,
    inspect,
    refuse_dirty,
)

HOURS = 400
WHERE = 200
POLICY = GatePolicy(jump_bound=30.0)


@pytest.fixture
def calm(candles_at) -> pd.DataFrame:
    """Sound candles whose hourly returns are about 0.4 %."""
    rng = np.random.default_rng(6)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.004, HOURS)))
    opened = np.append(100.0, close[:-1])
    return candles_at(range(HOURS)).assign(
        open=opened,
        high=np.maximum(opened, close) * 1.001,
        low=np.minimum(opened, close) * 0.999,
        close=close,
    )


def at(raw: pd.DataFrame, **values: float) -> pd.DataFrame:
    """Change one candle."""
    changed = raw.copy()
    for name, value in values.items():
        changed.loc[WHERE, name] = value
    return changed


def repeated(raw: pd.DataFrame) -> pd.DataFrame:
    return raw.iloc[[*range(WHERE + 1), *range(WHERE, HOURS)]].reset_index(drop=True)


def moved(raw: pd.DataFrame) -> pd.DataFrame:
    late = raw["timestamp"] + pd.Timedelta(minutes=7)
    return raw.assign(timestamp=raw["timestamp"].mask(raw.index == WHERE, late))


def swapped(raw: pd.DataFrame) -> pd.DataFrame:
    order = [*range(WHERE - 1), WHERE, WHERE - 1, *range(WHERE + 1, HOURS)]
    return raw.iloc[order].reset_index(drop=True)


def crashed(raw: pd.DataFrame) -> pd.DataFrame:
    """A tick that never was: the low of a single candle is a tenth of its open."""
    return at(raw, low=raw["open"][WHERE] / 10)


DIRTY = {
    "order": [swapped],
    "duplicate": [repeated],
    "off_grid": [moved],
    "missing_number": [
        lambda raw: at(raw, close=np.nan),
        lambda raw: at(raw, volume=np.nan),
        lambda raw: at(raw, high=np.inf),
    ],
    "non_positive": [
        lambda raw: at(raw, low=0.0),
        lambda raw: at(raw, open=-1.0, low=-1.0),
    ],
    "negative_volume": [lambda raw: at(raw, volume=-0.5)],
    "high_low": [
        lambda raw: at(raw, high=raw["low"][WHERE]),
        lambda raw: at(raw, low=raw["high"][WHERE]),
        lambda raw: at(raw, close=raw["high"][WHERE] * 1.5),
    ],
    "jump": [crashed, lambda raw: at(raw, high=raw["open"][WHERE] * 3)],
    "zero_volume": [lambda raw: at(raw, volume=0.0)],
    "gap": [lambda raw: raw.drop(index=WHERE)],
}
VARIANTS = [
    pytest.param(rule, make, id=f"{rule}-{k}")
    for rule, makers in DIRTY.items()
    for k, make in enumerate(makers)
]


class TestDirt:
    @pytest.mark.parametrize(("rule", "make"), VARIANTS)
    def test_each_kind_is_named_with_asset_time_and_rule(self, calm, rule, make):
        findings = inspect({"BTC": calm, "ETH": make(calm)}, POLICY)

        (found,) = [f for _, f in findings.iterrows() if f["rule"] == rule]
        told = describe(found)
        stamp = calm["timestamp"][WHERE - 1 if rule == "order" else WHERE]
        assert told.startswith(f"ETH at {stamp:%Y-%m-%d %H}:")
        assert f": {rule} (1, " in told
        assert set(findings["asset"]) == {"ETH"}

    def test_every_rule_has_a_variant(self):
        assert {*ACTIONS, "gap"} == DIRTY.keys()

    @pytest.mark.parametrize(("rule", "make"), VARIANTS)
    def test_what_the_gate_calls_dropped_is_what_cleaning_drops(self, calm, rule, make):
        raw = make(calm)
        findings = inspect({"ETH": raw}, POLICY)

        dropped = findings.loc[findings["action"] == "dropped", "rows"].sum()
        assert dropped == len(raw) - len(sift(raw).candles)
        assert dropped == (ACTIONS.get(rule) == "dropped")

    def test_sound_candles_break_no_rule(self, calm):
        findings = inspect({"BTC": calm, "ETH": calm}, POLICY)
        assert findings.empty
        assert findings.columns.tolist() == FINDING

    def test_neighbours_make_one_stretch(self, calm):
        raw = calm.assign(volume=calm["volume"].mask(calm.index.isin([5, 6, 7, 90]), 0))
        findings = inspect({"BTC": raw}, POLICY)
        assert findings["rows"].tolist() == [3, 1]
        assert (findings["last"] - findings["first"]).dt.total_seconds().tolist() == [
            7200.0,
            0.0,
        ]


class TestJumps:
    def test_the_bound_is_a_multiple_of_the_assets_own_moves(self, calm):
        jump = at(calm, high=calm["open"][WHERE] * np.exp(0.4))

        flagged = [
            not inspect({"BTC": jump}, GatePolicy(jump_bound=bound)).empty
            for bound in (50.0, 200.0)
        ]

        assert flagged == [True, False]

    def test_a_move_across_a_gap_is_no_jump(self, calm):
        behind = calm.index >= WHERE
        raw = calm.copy()
        for name in ("open", "high", "low", "close"):
            raw[name] = raw[name].mask(behind, raw[name] * 5)
        raw = raw.drop(index=range(WHERE - 3, WHERE))

        assert inspect({"BTC": raw}, POLICY)["rule"].tolist() == ["gap"]

    def test_a_price_that_never_moves_is_not_flagged_whenever_it_does(self, calm):
        still = calm.assign(open=1.0, high=1.0, low=1.0, close=1.0)
        raw = at(still, high=1.01)
        assert inspect({"BTC": raw}, POLICY).empty


class TestClosing:
    def test_a_little_dirt_passes(self, calm):
        raw = {"BTC": at(calm, close=np.nan)}
        refuse_dirty(inspect(raw, POLICY), raw, POLICY)

    def test_too_much_dirt_closes_the_gate_and_is_named(self, calm):
        bad = calm.index >= HOURS - 8
        dirty = calm.assign(close=calm["close"].mask(bad, -1.0))
        raw = {"BTC": calm, "ETH": at(dirty, high=np.nan)}

        with pytest.raises(
            MarketError,
            match=r"ETH is too dirty .* 2\.2% .* ETH from 2023-01-17 08:00 to "
            r"2023-01-17 15:00: non_positive \(8, dropped\).* correct its source",
        ):
            refuse_dirty(inspect(raw, POLICY), raw, POLICY)

    def test_strange_but_true_candles_never_close_it(self, calm):
        raw = {"BTC": calm.assign(volume=0.0)}
        refuse_dirty(inspect(raw, POLICY), raw, POLICY)

    @pytest.mark.parametrize(
        ("spoil", "told"),
        [
            (lambda raw: raw.drop(columns="volume"), "'volume' is nothing"),
            (lambda raw: raw.astype({"close": "str"}), "'close' is str, not float64"),
            (
                lambda raw: raw.assign(timestamp=raw["timestamp"].dt.tz_localize(None)),
                "'timestamp' is datetime64",
            ),
        ],
    )
    def test_other_columns_are_refused(self, calm, spoil, told):
        with pytest.raises(MarketError, match=f"ETH breaks the rule schema.*{told}"):
            inspect({"BTC": calm, "ETH": spoil(calm)}, POLICY)
