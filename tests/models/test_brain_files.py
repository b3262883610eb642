"""A brain that was written and read back is the one that was written."""

import json

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.models.brain_files import (
    REFINER,
    brain_from_files,
    brain_to_files,
    n_parameters,
)
from fleet_kedro.models.formats import ARRAYS, arrays_from_bytes, arrays_to_bytes
from fleet_kedro.models.learnt import PLAIN


@pytest.fixture(scope="module")
def files(trained_brain):
    return brain_to_files(trained_brain)


@pytest.fixture(scope="module")
def restored(files):
    return brain_from_files(files)


def changed(files, **plain):
    told = json.loads(files[PLAIN])
    for name, value in plain.items():
        told[name.replace("__", ".")] = value
    return files | {PLAIN: json.dumps(told).encode()}


class TestRoundTrip:
    def test_forecasts_are_the_same_to_the_last_bit(
        self, trained_brain, restored, fleet_features
    ):
        """Among them ten days that the brain has not learnt from."""
        expected, found = (
            brain.forecast(fleet_features) for brain in (trained_brain, restored)
        )

        assert len(expected.table) > 5000
        pd.testing.assert_frame_equal(found.table, expected.table, check_exact=True)
        pd.testing.assert_frame_equal(found.latents, expected.latents, check_exact=True)

    def test_it_gives_the_same_bytes_again(self, files, restored):
        assert brain_to_files(restored) == files

    def test_what_is_told_of_it_is_the_same(self, trained_brain, restored):
        assert restored.settings == trained_brain.settings
        assert restored.signals == trained_brain.signals
        assert restored.thresholds == {"BTC": 0.9, "ETH": 1 / 3}
        assert restored.assets == ("BTC", "ETH", "SOL")
        assert n_parameters(restored) == n_parameters(trained_brain)

    def test_latents_can_still_be_told_by_family(self, trained_brain, restored):
        n_columns = trained_brain.refiner.flex.n_features_in_
        names = [f"column {place}" for place in range(n_columns)]
        pd.testing.assert_frame_equal(
            restored.refiner.flex.loadings(names, names),
            trained_brain.refiner.flex.loadings(names, names),
        )

    def test_no_file_needs_an_unpickler(self, files):
        assert sorted(files) == [
            ARRAYS,
            PLAIN,
            "mixture.experts.surface.booster_.txt",
            "mixture.experts.trend.booster_.txt",
            REFINER,
        ]
        for content in files.values():
            assert b"sklearn" not in content
            assert not content.startswith(b"\x80")

    def test_learnt_numbers_are_counted(self, files, trained_brain):
        arrays = arrays_from_bytes(files[ARRAYS])
        flex = trained_brain.refiner.flex
        trees = [
            line.partition(b"=")[2]
            for name, content in files.items()
            if name.endswith(".txt")
            for line in content.splitlines()
            if line.startswith(b"num_leaves=")
        ]

        assert len(trees) == 60
        assert n_parameters(trained_brain) == (
            sum(array.size for array in arrays.values())
            + flex.projection_.size
            + flex.offset_.size
            + sum(map(int, trees))
        )


class TestErrors:
    def test_every_file_is_needed(self, files):
        for name in files:
            rest = {other: files[other] for other in files if other != name}
            with pytest.raises(ValueError, match=r"missing|not among|learnt"):
                brain_from_files(rest)

    def test_a_file_too_many(self, files):
        more = files | {"mixture.experts.other.booster_.txt": b"tree\n"}
        with pytest.raises(ValueError, match="belong to no part"):
            brain_from_files(more)

    def test_another_format(self, files):
        with pytest.raises(ValueError, match="The format is 'other/2'"):
            brain_from_files(changed(files, told__format="other/2"))

    def test_settings_that_are_none(self, files):
        told = json.loads(files[PLAIN])["told.settings"] | {"gate_penalty": -1.0}
        with pytest.raises(ValueError, match="The settings, gate_penalty"):
            brain_from_files(changed(files, told__settings=told))

    def test_signals_of_another_profile(self, files):
        with pytest.raises(ValueError, match="2 signals at 6 lags"):
            brain_from_files(changed(files, told__signals=["rsi_13", "momentum_3"]))

    def test_a_gate_for_other_assets(self, files):
        settings = json.loads(files[PLAIN])["told.settings"]
        arrays = arrays_from_bytes(files[ARRAYS])
        arrays["mixture.embedding.codes_"] = np.eye(3)[:, :2]
        narrow = files | {ARRAYS: arrays_to_bytes(arrays)}
        with pytest.raises(ValueError, match=r"The gate has .* 9, 6"):
            brain_from_files(changed(narrow, told__settings=settings))

    def test_scales_of_other_assets(self, files):
        with pytest.raises(ValueError, match="2 assets"):
            brain_from_files(changed(files, scales__assets=["BTC", "ETH"]))

    @pytest.mark.parametrize("seed", range(40))
    def test_damage_is_an_error_and_never_another_end(self, files, seed):
        """Where the store's checksums do not stand before the reader."""
        rng = np.random.default_rng(seed)
        name = sorted(files)[seed % len(files)]
        content = bytearray(files[name])
        if seed % 3 == 0:
            del content[int(rng.integers(len(content))) :]
        else:
            for place in rng.integers(0, min(len(content), 4000), 30):
                content[place] = int(rng.integers(256))
        with pytest.raises(ValueError):  # noqa: PT011 -- many messages
            brain_from_files(files | {name: bytes(content)})
