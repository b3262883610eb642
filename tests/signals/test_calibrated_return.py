from typing import NamedTuple

import numpy as np
import pytest

from fleet_kedro.signals.calibrated_return import (
    CalibratedReturn,
    CalibrationSettings,
    Record,
    _blocks,
    calibrate_return,
)
from fleet_kedro.signals.expectation import Absence

SETTINGS = CalibrationSettings(horizon_bars=12)
ASSETS = ("BTC", "ETH", "DOGE")


class Drawn(NamedTuple):
    record: Record
    slope: float


def draw(slope: float, seed: int = 1, hours: int = 4000) -> Drawn:
    """Returns of mean ``slope (p - 1/2)`` around which labels of 12 h overlap."""
    rng = np.random.default_rng(seed)
    n = hours * len(ASSETS)
    probability = np.clip(rng.normal(0.5, 0.08, size=n), 0.01, 0.99)
    hourly = rng.normal(size=(hours + 12, len(ASSETS)))
    summed = np.cumsum(hourly, axis=0)
    noise = ((summed[12:] - summed[:-12]) / np.sqrt(12)).ravel()
    return Drawn(
        Record(
            np.repeat(np.arange(hours), len(ASSETS)),
            np.tile(np.array(ASSETS), hours),
            probability,
            slope * (probability - 0.5) + noise,
        ),
        slope,
    )


@pytest.fixture(scope="module")
def skilled() -> CalibratedReturn:
    return calibrate_return(draw(slope=4.0).record, SETTINGS)


def expected(calibrated: CalibratedReturn, probability: np.ndarray, unit: float = 1.0):
    values = np.repeat(probability[:, np.newaxis], len(ASSETS), axis=1)
    return calibrated.expect(values, np.full_like(values, unit), ASSETS)


class TestSkill:
    def test_a_known_slope_is_found(self, skilled: CalibratedReturn) -> None:
        probability = np.linspace(0.4, 0.6, 21)
        got = expected(skilled, probability).expected_return
        # 12,000 rows of one twelfth as many trades: a mean over all is good to 0.03.
        np.testing.assert_allclose(
            got, np.repeat(4 * (probability[:, None] - 0.5), 3, axis=1), atol=0.15
        )
        assert skilled.kept_share > 0.9

    def test_without_skill_nothing_is_expected(self) -> None:
        largest = []
        for seed in range(12):
            calibrated = calibrate_return(draw(slope=0.0, seed=seed).record, SETTINGS)
            got = expected(calibrated, np.linspace(0.3, 0.7, 41)).expected_return
            largest.append(np.abs(got).max())

        # In units of a move over the horizon. What luck leaves is below any threshold:
        # 15 bp where a move is 1.5 %, while Bitcoin's threshold is 30 bp.
        assert np.median(largest) == 0.0
        assert max(largest) < 0.1

    @pytest.mark.parametrize("seed", range(3))
    def test_a_brain_that_is_wrong_throughout_is_not_turned_round(
        self, seed: int
    ) -> None:
        calibrated = calibrate_return(draw(slope=-4.0, seed=seed).record, SETTINGS)
        got = expected(calibrated, np.linspace(0.3, 0.7, 41)).expected_return

        assert np.abs(got).max() < 0.1

    def test_a_single_week_proves_nothing(self) -> None:
        week = draw(slope=40.0, hours=168).record
        assert calibrate_return(week, SETTINGS).kept_share == 0.0


class TestInterval:
    def test_new_returns_fall_into_it_as_often_as_promised(
        self, skilled: CalibratedReturn
    ) -> None:
        fresh = draw(slope=4.0, seed=99, hours=8000).record
        shape = (-1, len(ASSETS))
        got = skilled.expect(
            fresh.probability.reshape(shape),
            np.ones((8000, len(ASSETS))),
            ASSETS,
        )
        came = fresh.scaled_return.reshape(shape)
        inside = (came >= got.low) & (came <= got.high)

        assert inside.mean() == pytest.approx(SETTINGS.level, abs=0.02)

    def test_it_grows_with_the_unit(self, skilled: CalibratedReturn) -> None:
        probability = np.array([0.4, 0.6])
        one, two = (expected(skilled, probability, unit) for unit in (0.01, 0.02))
        np.testing.assert_allclose(two.high, 2 * one.high)
        np.testing.assert_allclose(two.expected_return, 2 * one.expected_return)


class TestProperties:
    def test_more_probability_never_means_less_return(
        self, skilled: CalibratedReturn
    ) -> None:
        got = expected(skilled, np.linspace(0, 1, 500)).expected_return
        assert (np.diff(got, axis=0) >= -1e-12).all()

    def test_an_asset_without_a_record_takes_the_fleets_curve(
        self, skilled: CalibratedReturn
    ) -> None:
        values = np.array([[0.6]])
        got = skilled.expect(values, np.ones((1, 1)), ("ADA",))
        assert got.expected_return[0, 0] == skilled.fleet(np.array([0.6]))[0]

    def test_a_weak_record_leans_on_the_fleet_and_a_strong_one_does_not(self) -> None:
        drawn = draw(slope=4.0).record
        is_doge = drawn.asset == "DOGE"
        # DOGE's returns do not know the forecast; the others' do.
        apart = drawn._replace(
            scaled_return=np.where(
                is_doge, np.roll(drawn.scaled_return, 1500), drawn.scaled_return
            )
        )
        at = np.array([[0.6]])
        share_of_fleet = {}
        for prior in (0.0, 1e9):
            settings = SETTINGS.model_copy(update={"prior_trades": prior})
            calibrated = calibrate_return(apart, settings)
            own = calibrated.expect(at, np.ones((1, 1)), ("DOGE",)).expected_return
            share_of_fleet[prior] = own[0, 0] / calibrated.fleet(at[0])[0]
        assert share_of_fleet[1e9] == pytest.approx(1.0, rel=1e-3)
        assert share_of_fleet[0.0] < 0.5

    def test_the_order_of_rows_does_not_matter(self) -> None:
        record = draw(slope=4.0, hours=900).record
        order = np.random.default_rng(0).permutation(len(record.hour))
        turned = Record(*(values[order] for values in record))
        one, other = (calibrate_return(r, SETTINGS) for r in (record, turned))
        at = np.linspace(0.2, 0.8, 50)
        np.testing.assert_allclose(
            expected(one, at).expected_return, expected(other, at).expected_return
        )

    def test_when_it_was_does_not_matter(self) -> None:
        record = draw(slope=4.0, hours=1000).record
        later = record._replace(hour=record.hour + 168 * 2700)

        assert calibrate_return(later, SETTINGS) == calibrate_return(record, SETTINGS)

    def test_what_is_unknown_stays_unknown(self, skilled: CalibratedReturn) -> None:
        probability = np.array([[np.nan, 0.6, 0.6]])
        unit = np.array([[0.01, np.nan, 0.01]])
        got = skilled.expect(probability, unit, ASSETS)
        assert got.absence.tolist() == [
            [Absence.NO_FORECAST, Absence.NO_FORECAST, Absence.NONE]
        ]

    def test_no_label_reaches_from_a_held_out_block_into_what_is_learnt(self) -> None:
        hour = np.random.default_rng(3).integers(0, 2000, size=5000)
        blocks = list(_blocks(hour, SETTINGS))
        # A label is known H + 1 hours after the open of its row.
        reach = SETTINGS.horizon_bars + 1

        assert len(blocks) == SETTINGS.blocks
        assert (sum(inside.astype(int) for inside, _ in blocks) == 1).all()
        for inside, apart in blocks:
            first, last = hour[inside].min(), hour[inside].max()
            before, after = hour[apart & (hour < first)], hour[apart & (hour > last)]
            assert (before + reach < first).all()
            assert (after > last + reach).all()
            assert before.size + after.size == apart.sum() > 0

    def test_it_survives_json(self, skilled: CalibratedReturn) -> None:
        again = CalibratedReturn.model_validate_json(skilled.model_dump_json())
        assert again == skilled


class TestErrors:
    @pytest.mark.parametrize("hours", [0, 1, 14])
    def test_a_record_that_is_too_short(self, hours: int) -> None:
        record = draw(slope=0.0, hours=40).record
        short = record.take(record.hour < hours)
        with pytest.raises(ValueError, match="wait for a longer record"):
            calibrate_return(short, SETTINGS)
