"""What every network keeps to, and the parts that they share."""

import numpy as np
import pytest
import torch
from planted import planted_bars
from torch import nn

from fleet_kedro.models.forecasters.base import inner_rows
from fleet_kedro.models.forecasters.informer import InformerForecaster, InformerSettings
from fleet_kedro.models.forecasters.lstm import LSTMForecaster, LSTMSettings
from fleet_kedro.models.forecasters.multitask import (
    MultiTaskForecaster,
    MultiTaskSettings,
)
from fleet_kedro.models.forecasters.sequence import (
    PART_ROWS,
    Scaling,
    Windowed,
    shrinkage,
    zero_head,
)
from fleet_kedro.models.forecasters.transformer import (
    TransformerForecaster,
    TransformerSettings,
)
from fleet_kedro.models.training import TrainingSettings

WINDOW = 16
QUICK = TrainingSettings(epochs=2, batch_size=128, rows_per_epoch=640, device="cpu")
KINDS = {
    "lstm": (LSTMForecaster, LSTMSettings, {"width": 8}),
    "transformer": (TransformerForecaster, TransformerSettings, {"width": 8}),
    "multitask": (MultiTaskForecaster, MultiTaskSettings, {"width": 8}),
    "informer": (InformerForecaster, InformerSettings, {"width": 8, "heads": 2}),
}


def quick(kind: str, **changes):
    """A small forecaster over short windows that learns for two short epochs."""
    forecaster, settings, size = KINDS[kind]
    chosen = {"window_bars": WINDOW, "training": QUICK} | size | changes
    return forecaster(settings(**chosen))


@pytest.fixture(scope="module")
def bars():
    """Windows of 20 bars are whole, though forecasters here read less."""
    return planted_bars(3, 0.3, 2000, longest_window_bars=20).bars


@pytest.fixture(scope="module")
def training_rows(bars):
    """Both sides of the gap, with a hole of unused rows."""
    rows = np.flatnonzero(bars.is_labelled)
    return np.concatenate([rows[:500], rows[600:1300]])


@pytest.fixture(scope="module")
def later_rows(bars):
    return np.flatnonzero(bars.is_usable)[1350:]


@pytest.fixture(scope="module", params=sorted(KINDS))
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def fitted(kind, bars, training_rows):
    return quick(kind).fit(bars, training_rows)


@pytest.fixture(scope="module")
def outspoken(kind, fitted):
    """The same one, believed whatever it found: its forecasts are not zero."""
    forecaster = quick(kind).load_files(fitted.to_files())
    forecaster.shrinkage_ = np.array([1.0, 0.5])
    return forecaster


class TestContract:
    def test_the_same_rows_and_settings_give_the_same_bytes(
        self, kind, fitted, bars, training_rows
    ):
        """Whatever the caller's threads, and wherever its random stream stands."""
        before = torch.get_num_threads()
        try:
            torch.set_num_threads(3 - before if before < 3 else 1)
            with torch.random.fork_rng():
                torch.manual_seed(99)
                again = quick(kind).fit(bars, training_rows)
        finally:
            torch.set_num_threads(before)

        assert again.to_files() == fitted.to_files()
        assert again.history_.best_epoch > 0

    def test_files_carry_all_that_was_learnt(self, kind, outspoken, bars, later_rows):
        files = outspoken.to_files()

        other = quick(kind).load_files(files)

        forecast = outspoken.predict(bars, later_rows)
        assert np.abs(forecast).min(axis=0).all()
        np.testing.assert_array_equal(other.predict(bars, later_rows), forecast)
        assert other.to_files() == files
        assert other.n_parameters == outspoken.n_parameters > 0

    def test_a_row_has_one_forecast_whatever_stands_beside_it(
        self, outspoken, bars, later_rows
    ):
        together = outspoken.predict(bars, later_rows)

        # The last row alone, few in another order, and more than one part of many.
        assert len(later_rows) > 2 * PART_ROWS
        for picked in (slice(-1, None), slice(300, 0, -7), slice(11, None)):
            alone = outspoken.predict(bars, later_rows[picked])
            np.testing.assert_array_equal(alone, together[picked])

    def test_no_row_has_no_forecast(self, fitted, bars):
        assert fitted.predict(bars, np.array([], dtype=np.int64)).shape == (0, 2)

    def test_fit_learns_nothing_from_bars_after_its_rows(
        self, kind, fitted, bars, training_rows
    ):
        later = np.arange(len(bars.segment)) > training_rows[-1]
        other = bars._replace(
            channels=np.where(later[:, None], np.float32(1e30), bars.channels),
            close=np.where(later, np.nan, bars.close),
            volatility=np.where(later, np.nan, bars.volatility),
            target=np.where(later[:, None], np.nan, bars.target),
        )

        assert later.any()
        files = quick(kind).fit(other, training_rows).to_files()
        assert files == fitted.to_files()

    @pytest.mark.parametrize("poison", [np.nan, 1e30])
    def test_windows_never_leave_the_segment(self, outspoken, bars, poison):
        """A bar that is in no row's window may hold anything."""
        first_of_second = np.flatnonzero(np.diff(bars.segment))[0] + 1
        usable = np.flatnonzero(bars.is_usable)
        asked = usable[usable >= first_of_second][:PART_ROWS]
        in_a_window = np.zeros(len(bars.segment), dtype=bool)
        in_a_window[(asked[:, None] - np.arange(WINDOW)).ravel()] = True
        channels = np.where(in_a_window[:, None], bars.channels, np.float32(poison))
        other = bars._replace(channels=channels)

        # The bar beside the border belongs to no window, so nothing reaches across.
        assert not in_a_window[first_of_second]
        np.testing.assert_array_equal(
            outspoken.predict(other, asked), outspoken.predict(bars, asked)
        )

    def test_fit_reads_nothing_outside_its_windows(
        self, kind, fitted, bars, training_rows
    ):
        in_a_window = np.zeros(len(bars.segment), dtype=bool)
        in_a_window[(training_rows[:, None] - np.arange(WINDOW)).ravel()] = True
        channels = np.where(in_a_window[:, None], bars.channels, np.float32(np.nan))

        assert not in_a_window[: training_rows[-1]].all()
        other = quick(kind).fit(bars._replace(channels=channels), training_rows)
        assert other.to_files() == fitted.to_files()

    def test_before_the_first_step_the_forecast_is_zero(
        self, fitted, bars, training_rows
    ):
        split = fitted.settings.stopping
        stopping = inner_rows(bars, training_rows, split).stopping

        zero_loss = np.square(bars.scaled_target(stopping)).mean()
        first = fitted.history_.records[0]
        assert first.epoch == 0
        assert first.validation_loss == pytest.approx(zero_loss, rel=1e-5)

    def test_a_mixed_precision_pass_answers(self, kind, outspoken, bars, later_rows):
        """Cards learn in bfloat16; parts that mix types would fail there."""
        if kind == "lstm":
            pytest.skip("torch has no bfloat16 LSTM on some CPUs; cards have one")
        channels = outspoken.scaling_.standardise(bars.channels, 5.0)
        module = Windowed(outspoken.network_, channels, WINDOW)
        rows = torch.from_numpy(later_rows[:64])

        exact = module(rows)
        with torch.autocast("cpu", torch.bfloat16):
            mixed = module(rows)

        torch.autograd.backward(mixed.float().square().sum())
        torch.testing.assert_close(mixed.float(), exact, rtol=0.1, atol=0.1)
        outspoken.network_.zero_grad()


class TestSharedParts:
    """The same code for every network, so the quickest one stands for all."""

    def test_the_seed_decides_the_bytes(self, bars, training_rows):
        def learnt(seed):
            training = QUICK.model_copy(update={"seed": seed})
            forecaster = quick("multitask", training=training)
            return forecaster.fit(bars, training_rows).to_files()

        assert learnt(1) != learnt(2)

    def test_later_rows_do_not_touch_the_scaling(self, bars, training_rows):
        forecaster = quick("multitask")
        learnt, stopping = inner_rows(bars, training_rows, forecaster.settings.stopping)
        later = np.arange(len(bars.segment)) > learnt[-1]
        louder = np.where(later[:, None], 100 * bars.channels, bars.channels)
        other = quick("multitask").fit(bars._replace(channels=louder), training_rows)

        scaling = forecaster.fit(bars, training_rows).scaling_
        assert stopping[0] > learnt[-1]
        for before, after in zip(scaling, other.scaling_, strict=True):
            np.testing.assert_array_equal(before, after)

    def test_every_epoch_is_reported(self, bars, training_rows):
        told = []

        quick("multitask").fit(bars, training_rows, lambda *step: told.append(step))

        assert [step[:2] for step in told] == [(n, QUICK.epochs) for n in range(3)]
        assert all(step[2] > 0.0 for step in told)


class TestErrors:
    def test_files_of_something_else(self):
        with pytest.raises(ValueError, match="no safetensors"):
            quick("lstm").load_files({"arrays.safetensors": b"nothing"})

    def test_a_window_longer_than_the_usable_rows_promise(self, bars, training_rows):
        with pytest.raises(ValueError, match="longest_window_bars has to cover"):
            quick("lstm", window_bars=256).fit(bars, training_rows)


class TestWindows:
    def test_a_window_ends_at_its_row(self):
        channels = torch.arange(40.0).reshape(20, 2)
        windowed = Windowed(nn.Identity(), channels, 5)
        rows = torch.tensor([4, 19, 11])

        windows = windowed.windows(rows)

        expected = torch.stack([channels[row - 4 : row + 1] for row in rows.tolist()])
        assert torch.equal(windows, expected)

    def test_a_head_of_zeros_is_all_that_stands_between(self):
        assert torch.equal(zero_head(3, 2)(torch.randn(7, 3)), torch.zeros(7, 2))


class TestScaling:
    def test_known_values(self):
        channels = np.array([[1.0, 5.0], [3.0, 5.0]], dtype=np.float32)

        scaling = Scaling.of(channels)

        np.testing.assert_array_equal(scaling.mean, [2.0, 5.0])
        np.testing.assert_array_equal(scaling.deviation, [1.0, 1.0])
        far = np.array([[4.5, 5.0], [-90.0, 6.0]], dtype=np.float32)
        expected = torch.tensor([[2.5, 0.0], [-3.0, 1.0]])
        assert torch.equal(scaling.standardise(far, 3.0), expected)

    def test_what_is_missing_stays_missing(self):
        channels = np.array([[np.nan, 1.0]], dtype=np.float32)

        standard = Scaling(np.zeros(2), np.ones(2)).standardise(channels, 5.0)

        assert standard.isnan().tolist() == [[True, False]]


class TestShrinkage:
    def test_a_forecast_twice_too_large_is_halved(self):
        rng = np.random.default_rng(0)
        target = rng.standard_normal((5000, 2))

        # Exact up to a factor: nothing is missed, so nothing is taken off.
        left = shrinkage(target * [1.0, 2.0], target, block_rows=24)

        np.testing.assert_allclose(left, [1.0, 0.5])

    @pytest.mark.parametrize("sign", [0.0, -1.0])
    def test_a_flat_forecast_and_a_wrong_one_are_dropped(self, sign):
        target = np.random.default_rng(0).standard_normal((500, 2))

        assert shrinkage(sign * target, target, block_rows=24).tolist() == [0.0, 0.0]

    def test_chance_is_mostly_dropped_and_skill_mostly_kept(self):
        rng = np.random.default_rng(1)
        forecast = 0.3 * rng.standard_normal((400, 2000, 2))
        noise = rng.standard_normal((400, 2000, 2))

        lucky = [shrinkage(f, e, 24) for f, e in zip(forecast, noise, strict=True)]
        skilled = [
            shrinkage(f, f + e, 24) for f, e in zip(forecast, noise, strict=True)
        ]

        # A normal factor exceeds √2 of its standard errors 7.9 % of the time.
        assert np.mean(np.array(lucky) > 0) == pytest.approx(0.079, abs=0.03)
        assert np.mean(skilled) > 0.9

    def test_overlapping_labels_count_once(self):
        """Twelve copies of each row say nothing more than one."""
        rng = np.random.default_rng(2)
        forecast = rng.standard_normal((200, 2))
        target = 0.2 * forecast + rng.standard_normal((200, 2))

        once = shrinkage(forecast, target, block_rows=2)
        copied = shrinkage(
            np.repeat(forecast, 12, axis=0), np.repeat(target, 12, axis=0), 24
        )

        assert (once > 0).all()
        np.testing.assert_allclose(copied, once)
