"""Whatever is missing costs its own part of a signal, says so, and stops no other."""

import shutil

import numpy as np
import pandas as pd
import pytest
from signal_stock import WEIGHTS, draw_rules, members_in, write_ensemble

from fleet_kedro.features.recipe import IN_CARD
from fleet_kedro.signals.decision_rules import FORECASTS, rules_to_files
from fleet_kedro.signals.ensemble_rule import rule_from_files
from fleet_kedro.signals.expectation import Absence
from fleet_kedro.store.bundle import read_bundle, write_bundle

HOUR = pd.Timedelta(hours=1)
CANDLES = "data/02_intermediate/candles"


def check_hold(signal, asset, absence, *sentences):
    """The asset is a HOLD that says why; it gets nothing."""
    own = signal.individual_signals[asset]

    assert (own.signal.name, own.problem) == ("HOLD", absence)
    for sentence in sentences:
        assert sentence in own.reason
    assert own.expected_return is None
    assert signal.portfolio_allocation[asset] == 0


def check_rest_goes_on(signal, *assets):
    for asset in assets:
        own = signal.individual_signals[asset]
        assert own.problem == Absence.NONE, own.reason
        assert own.expected_return is not None


def damage(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def change_features(workplace, change):
    """Let the brain's card tell another recipe of what it reads."""
    folder = workplace.folder / "data/06_models/brain"
    model = read_bundle(folder)
    told = model.card.parameters
    changed = {**told, IN_CARD: change(told[IN_CARD])}
    card = model.card.model_copy(update={"parameters": changed})
    write_bundle(folder, model.files, card)


class TestCandles:
    @pytest.mark.slow
    def test_an_asset_without_a_file(self, workplace):
        (workplace.folder / CANDLES / "ETH.parquet").unlink()
        signal = workplace.signal()

        check_hold(signal, "ETH", Absence.NO_CANDLE, "There is no candle of ETH")
        check_rest_goes_on(signal, "BTC", "SOL")
        assert signal.individual_signals["ETH"].data_age_hours is None

    def test_a_file_that_is_none(self, workplace):
        (workplace.folder / CANDLES / "ETH.parquet").write_bytes(b"half of a")
        signal = workplace.signal()

        check_hold(signal, "ETH", Absence.NO_CANDLE, "Its candles cannot be read: ")
        check_rest_goes_on(signal, "BTC", "SOL")

    @pytest.mark.slow
    def test_candles_that_break_a_rule(self, workplace):
        workplace.change_candles("ETH", lambda own: own.assign(high=own["low"] / 2))
        signal = workplace.signal()

        check_hold(signal, "ETH", Absence.NO_CANDLE, "candles of ETH are not clean")
        check_rest_goes_on(signal, "BTC", "SOL")

    def test_stale_ones(self, workplace):
        workplace.change_candles("ETH", lambda own: own.iloc[:-5])
        signal = workplace.signal()

        check_hold(signal, "ETH", Absence.STALE_CANDLE, "5.0 hours ago; up to 2")
        check_rest_goes_on(signal, "BTC", "SOL")

    @pytest.mark.slow
    def test_one_that_is_an_hour_behind_is_still_judged(self, workplace):
        workplace.change_candles("ETH", lambda own: own.iloc[:-1])
        signal = workplace.signal()

        check_rest_goes_on(signal, "BTC", "ETH", "SOL")
        assert signal.individual_signals["ETH"].data_age_hours == 1

    def test_one_that_only_bridges_a_gap(self, workplace):
        def fill(own):
            last = own.index[-1]
            own.loc[last, ["open", "high", "low"]] = own.loc[last, "close"]
            own.loc[last, "volume"] = 0.0
            own.loc[last, "is_filled"] = True
            return own

        workplace.change_candles("SOL", fill)
        signal = workplace.signal()

        check_hold(signal, "SOL", Absence.NO_FORECAST, "only bridges a gap")
        check_rest_goes_on(signal, "BTC", "ETH")

    def test_too_few_since_a_gap(self, workplace):
        """Every window that spans the gap is unknown, so the forecast is none."""

        def split(own):
            after = np.arange(len(own)) >= len(own) - 30
            return own.assign(segment=own["segment"] + after.astype(np.int32)).drop(
                index=own.index[len(own) - 40 : len(own) - 30]
            )

        workplace.change_candles("SOL", split)
        signal = workplace.signal()

        unknown = "Something that the brain reads of its last bar is unknown."
        check_hold(signal, "SOL", Absence.NO_FORECAST, "is not a number", unknown)
        check_rest_goes_on(signal, "BTC", "ETH")


class TestClock:
    def test_live_candles_are_judged_by_this_machines_clock(self, workplace):
        workplace.move_clock()
        signal = workplace.signal(serving={"clock": "now"})

        check_rest_goes_on(signal, "BTC", "ETH", "SOL")
        assert abs(pd.Timestamp.now("UTC") - signal.timestamp) < HOUR / 60

    def test_a_candle_of_the_future(self, workplace):
        workplace.move_clock()
        workplace.change_candles(
            "ETH",
            lambda own: own.assign(
                timestamp=(own["timestamp"] + 3 * HOUR).astype("datetime64[us, UTC]")
            ),
        )
        signal = workplace.signal(serving={"clock": "now"})

        check_hold(signal, "ETH", Absence.CLOCK_AHEAD, "or a clock is wrong")
        check_rest_goes_on(signal, "BTC", "SOL")
        assert signal.individual_signals["ETH"].data_age_hours < 0


class TestDominance:
    @pytest.mark.parametrize(
        "content", [None, pytest.param(b"half of a", marks=pytest.mark.slow)]
    )
    def test_a_table_that_is_not_there_leaves_the_regime_neutral(
        self, workplace, content
    ):
        path = workplace.folder / "data/01_raw/dominance.parquet"
        path.unlink() if content is None else path.write_bytes(content)
        signal = workplace.signal()

        check_rest_goes_on(signal, "BTC", "ETH", "SOL")
        regime = signal.individual_signals["BTC"].regime
        assert (regime.fear.name, regime.season.name) == ("UNKNOWN", "UNKNOWN")
        assert (regime.exposure, regime.tilt) == (1, 1)
        assert "There is no table of dominance." in signal.notices

    @pytest.mark.slow
    def test_a_source_that_is_not_there(self, workplace):
        signal = workplace.signal(dominance_policy={"source": "nobody"})

        check_rest_goes_on(signal, "BTC", "ETH", "SOL")
        assert any("has no source 'nobody'" in notice for notice in signal.notices)


class TestModels:
    def test_no_brain(self, workplace):
        shutil.rmtree(workplace.folder / "data/06_models/brain")
        signal = workplace.signal()

        check_rest_goes_on(signal, "BTC")
        check_hold(signal, "ETH", Absence.NO_MODEL, "no model that forecasts ETH")
        assert any("no model called global-brain" in told for told in signal.notices)

    def test_a_changed_byte(self, workplace):
        damage(workplace.folder / "data/06_models/brain/refiner.safetensors")
        signal = workplace.signal()

        check_rest_goes_on(signal, "BTC")
        check_hold(signal, "SOL", Absence.NO_MODEL)
        assert any("refiner.safetensors" in notice for notice in signal.notices)

    def test_a_brain_that_does_not_say_what_it_reads(self, workplace):
        change_features(workplace, lambda _: {})
        signal = workplace.signal()

        check_rest_goes_on(signal, "BTC")
        check_hold(signal, "ETH", Absence.NO_MODEL)
        assert any(
            "No recipe of features (settings:" in told for told in signal.notices
        )

    @pytest.mark.slow
    def test_a_brain_that_does_not_say_how_it_reads_one_asset(self, workplace):
        change_features(workplace, lambda recipe: recipe | {"orders": {"SOL": 0.4}})
        signal = workplace.signal()

        check_hold(signal, "ETH", Absence.NO_FORECAST)
        check_rest_goes_on(signal, "BTC", "SOL")

    def test_an_asset_that_the_brain_has_not_learnt(self, workplace):
        source = workplace.folder / CANDLES / "ETH.parquet"
        candles = pd.read_parquet(source).assign(asset="DOGE", symbol="DOGEUSDT")
        candles.to_parquet(source.with_name("DOGE.parquet"))
        signal = workplace.signal(universe={"assets": ["BTC", "ETH", "SOL", "DOGE"]})

        lacks = "The brain has not learnt it. It has no forecasters of its own."
        check_hold(signal, "DOGE", Absence.NO_MODEL, lacks)
        check_rest_goes_on(signal, "BTC", "ETH", "SOL")

    @pytest.mark.parametrize(
        "how", ["missing", pytest.param("damaged", marks=pytest.mark.slow)]
    )
    def test_a_forecaster_with_a_weight(self, workplace, how):
        folder = workplace.folder / "data/06_models/forecasters/BTC/lstm"
        if how == "missing":
            shutil.rmtree(folder)
        else:
            damage(folder / "arrays.safetensors")
        signal = workplace.signal()

        check_rest_goes_on(signal, "BTC", "ETH", "SOL")
        assert signal.notices[0].startswith("The forecasters of BTC are not used: ")
        alone = workplace.signal(signalling={"forecast": "brain"})
        told = [each.individual_signals["BTC"] for each in (signal, alone)]
        assert told[0].expected_return == told[1].expected_return

    @pytest.mark.slow
    def test_a_forecaster_without_a_weight_is_not_missed(self, workplace, first_signal):
        store = workplace.folder / "data/06_models"
        kept = rule_from_files(read_bundle(store / "forecasters/BTC/ensemble").files)
        weights = WEIGHTS | {"xgboost": 0.0}
        write_ensemble(store, weights, members_in(store), kept.reading)

        assert workplace.signal() == first_signal

    def test_weights_that_cannot_be_read(self, workplace):
        folder = workplace.folder / "data/06_models/forecasters/BTC/ensemble"
        (folder / "ensemble.json").write_bytes(b"half of a")
        signal = workplace.signal()

        check_rest_goes_on(signal, "BTC", "ETH", "SOL")
        assert signal.notices[0].startswith("The forecasters of BTC are not used: ")
        assert "BTC/ensemble" in signal.notices[0]

    def test_an_ensemble_that_does_not_say_what_it_reads(self, workplace):
        store = workplace.folder / "data/06_models"
        kept = rule_from_files(read_bundle(store / "forecasters/BTC/ensemble").files)
        reading = kept.reading.model_copy(update={"recipe": {}})
        write_ensemble(store, WEIGHTS, members_in(store), reading)
        signal = workplace.signal()

        check_rest_goes_on(signal, "BTC", "ETH", "SOL")
        assert signal.notices[0].startswith(
            "The forecasters of BTC are not used: No re"
        )

    def test_a_forecaster_that_is_not_the_one_that_was_weighed(self, workplace):
        store = workplace.folder / "data/06_models"
        earlier = members_in(store)
        retrained = earlier["lstm"].card.model_copy(update={"trials": 3})
        write_bundle(store / "forecasters/BTC/lstm", earlier["lstm"].files, retrained)
        signal = workplace.signal()

        check_rest_goes_on(signal, "BTC", "ETH", "SOL")
        assert "btc-lstm is another version than the ensemble has" in signal.notices[0]

    def test_no_rules_that_tell_what_a_probability_is_worth(self, workplace):
        shutil.rmtree(workplace.folder / "data/06_models/decision_rules")
        signal = workplace.signal()

        check_rest_goes_on(signal, "BTC")
        check_hold(
            signal,
            "ETH",
            Absence.NO_MODEL,
            "What the brain's probability is worth is not known.",
        )
        assert any("called decision-rules" in notice for notice in signal.notices)
        assert signal.individual_signals["ETH"].gate_weights

    def test_rules_of_another_walk(self, workplace):
        store = workplace.folder / "data/06_models"
        model = read_bundle(store / "brain")
        told = {**model.card.parameters, FORECASTS: "ab" * 32}
        card = model.card.model_copy(update={"parameters": told})
        write_bundle(store / "brain", model.files, card)
        signal = workplace.signal()

        check_rest_goes_on(signal, "BTC")
        check_hold(signal, "ETH", Absence.NO_MODEL)
        assert any("names the walk abababab" in told for told in signal.notices)


class TestNoSkill:
    """A forecast of zero is a forecast, and why it is zero is told."""

    def test_a_brain_whose_promises_did_not_come_true(self, workplace):
        folder = workplace.folder / "data/06_models/decision_rules"
        card = read_bundle(folder).card
        write_bundle(folder, rules_to_files(draw_rules(kept_share=0.0)), card)
        signal = workplace.signal()

        check_rest_goes_on(signal, "BTC", "ETH", "SOL")
        assert signal.individual_signals["ETH"].expected_return == 0
        assert [
            told for told in signal.notices if "so it expects a return of zero" in told
        ]

    def test_forecasters_that_did_not_beat_zero(self, workplace):
        store = workplace.folder / "data/06_models"
        kept = rule_from_files(read_bundle(store / "forecasters/BTC/ensemble").files)
        none = dict.fromkeys(WEIGHTS, 0.0)
        write_ensemble(store, none, members_in(store), kept.reading)
        signal = workplace.signal(signalling={"forecast": "ensemble"})

        assert signal.individual_signals["BTC"].expected_return == 0
        assert signal.individual_signals["BTC"].interval.high > 0
        assert [told for told in signal.notices if "No forecaster of BTC beat" in told]

    def test_with_skill_nothing_is_told(self, first_signal):
        assert not any("out of sample" in told for told in first_signal.notices)


class TestNothingUsable:
    @pytest.fixture
    def before(self, workplace):
        """A good signal, and what it left."""
        workplace.run()
        return self.left(workplace)

    @staticmethod
    def left(workplace):
        return {
            path: path.read_bytes()
            for path in workplace.reports.rglob("*")
            if path.is_file()
        }

    def test_every_candle_is_stale(self, workplace, before):
        said = workplace.refusal(serving={"clock": "now"})

        assert said.startswith("None of 3 assets can be judged, so there is no signal.")
        assert "The last candle of BTC closed at" in said
        assert self.left(workplace) == before
        assert len(before) == 3

    @pytest.mark.slow
    def test_every_candle_is_of_the_future(self, workplace, before):
        workplace.move_clock(hours_ahead=3)
        said = workplace.refusal(serving={"clock": "now"})

        assert said.count("a clock is wrong") == 3
        assert self.left(workplace) == before

    @pytest.mark.slow
    def test_no_file_of_candles_can_be_read(self, workplace, before):
        for asset in ("BTC", "ETH", "SOL"):
            path = workplace.folder / CANDLES / f"{asset}.parquet"
            path.write_bytes(b"half of a")
        said = workplace.refusal()

        assert said.count("Its candles cannot be read") == 3
        assert self.left(workplace) == before

    def test_the_store_is_empty(self, workplace, before):
        shutil.rmtree(workplace.folder / "data/06_models")
        said = workplace.refusal()

        assert "There is no model that forecasts BTC." in said
        assert "The brain is not used: " in said
        assert self.left(workplace) == before

    def test_nothing_was_promoted(self, workplace, before):
        said = workplace.refusal(serving={"stage": "prod"})

        assert "lies in no git repository, whose tags are the registry" in said
        assert self.left(workplace) == before
