"""Ablations: which there are, and that each is the walk of another brain."""

from typing import Any

import numpy as np
import pytest
from tests.validation.test_walk_forward import SIGNALS, folds_of, settings, walk

from fleet_kedro.validation.ablations import SHIFTED_LABELS, ablations_of
from fleet_kedro.validation.walk_forward import Walk, walk_forward


def names(which: str, **brain: Any) -> list[str]:
    return [ablation.name for ablation in ablations_of(settings(**brain).brain, which)]


@pytest.fixture(scope="module")
def ablated(planted_fleet: Any) -> Walk:
    return walk_forward(
        planted_fleet.features(),
        SIGNALS,
        folds_of(planted_fleet),
        settings(ablations="full"),
    )


class TestKnownValues:
    def test_none_when_off(self) -> None:
        assert names("off") == []

    def test_fast_ones_teach_few_experts_anew(self) -> None:
        fast = ["no embedding", "learned embedding", "own outcomes"]
        assert names("fast") == fast
        assert names("full")[: len(fast)] == fast
        reaches = [a.reaches for a in ablations_of(settings().brain, "fast")]
        assert reaches == [("trend", "surface")] * 3

    def test_full_ones_switch_energy_mask_and_labels_too(self) -> None:
        assert names("full")[3:] == ["no energy", "no chaos mask", SHIFTED_LABELS]

    def test_what_is_off_is_switched_on(self) -> None:
        switched = names(
            "full", use_energy=False, mask_chaos=False, use_asset_embedding="off"
        )
        assert {"with energy", "with chaos mask", "one-hot embedding"} <= {*switched}

    def test_a_brain_of_own_outcomes_has_none_to_take_away(self) -> None:
        assert "own outcomes" not in names("fast", relative_experts=())


class TestProperties:
    @pytest.mark.parametrize(
        ("name", "changes"),
        [
            ("own outcomes", {"relative_experts": ()}),
            ("no embedding", {"use_asset_embedding": "off"}),
            ("no energy", {"use_energy": False}),
        ],
    )
    def test_an_ablation_is_the_walk_of_the_brain_so_changed(
        self, ablated: Walk, planted_fleet: Any, name: str, changes: dict[str, Any]
    ) -> None:
        changed = walk(planted_fleet, **changes).forecasts["probability"]
        np.testing.assert_array_equal(ablated.forecasts[f"ablation_{name}"], changed)

    def test_ablations_leave_the_brain_as_it_is(
        self, ablated: Walk, planted_fleet: Any
    ) -> None:
        plain = walk(planted_fleet).forecasts["probability"]
        np.testing.assert_array_equal(ablated.forecasts["probability"], plain)

    def test_shifted_labels_teach_another_brain(self, ablated: Walk) -> None:
        shifted = ablated.forecasts[f"ablation_{SHIFTED_LABELS}"]
        assert (shifted - ablated.forecasts["probability"]).abs().mean() > 0.01
