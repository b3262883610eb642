"""Which forecasters there are to train, and how the pipeline gets to know."""

import os
import subprocess
import sys
from contextvars import copy_context
from typing import Any

import pytest
from pydantic import ValidationError

from fleet_kedro.hooks import ParameterError, hand_on_grid
from fleet_kedro.models.forecasters.kinds import KINDS
from fleet_kedro.pipelines import asset_training
from fleet_kedro.pipelines.forecaster_grid import ForecasterGrid, configured_grid

TWO_SESSIONS = """
from pathlib import Path
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

bootstrap_project(Path.cwd())
for environment in ("base", "smoke"):
    with KedroSession.create(env=environment) as session:
        session.load_context()
        nodes = pipelines["asset_training"].nodes
        print(",".join(sorted({node.namespace for node in nodes if node.namespace})))
"""


def namespaces(**block: Any) -> set[str | None]:
    """Hand on a block of parameters, and return the namespaces that are built then.

    What was handed on is forgotten with the context.
    """

    def built() -> set[str | None]:
        hand_on_grid({"forecaster_grid": block})
        return {node.namespace for node in asset_training.create_pipeline().nodes}

    return copy_context().run(built)


class TestGrid:
    def test_three_assets_get_six_models_unless_told_otherwise(self):
        grid = ForecasterGrid()

        assert grid.assets == ("BTC", "ETH", "SOL")
        assert grid.models == KINDS[:-1]
        assert KINDS[-1] == "informer"

    @pytest.mark.parametrize("block", [{"assets": []}, {"models": []}])
    def test_nothing_to_train_is_refused(self, block):
        with pytest.raises(ValidationError, match="at least 1 item"):
            ForecasterGrid(**block)

    def test_a_name_twice_is_refused(self):
        with pytest.raises(ValidationError, match="BTC, BTC names one twice"):
            ForecasterGrid(assets=["BTC", "BTC"])


class TestHandOn:
    def test_the_pipeline_has_a_namespace_for_each_asset(self):
        assert namespaces(assets=["DOGE", "BTC"]) == {"DOGE", "BTC", None}

    def test_without_a_grid_nothing_is_handed_on(self):
        before = configured_grid.get()
        copy_context().run(hand_on_grid, {"folds": 3})

        assert configured_grid.get() is before

    def test_what_was_built_for_another_grid_is_built_again(self, make_project):
        """As in a notebook that turns from one environment to another."""
        project = make_project()
        told = subprocess.run(  # noqa: S603
            [sys.executable, "-c", TWO_SESSIONS],
            cwd=project.folder,
            env=os.environ | {"DO_NOT_TRACK": "1"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

        assert told.splitlines()[-2:] == ["BTC,ETH,SOL", "BTC"]

    @pytest.mark.parametrize(
        ("block", "said"),
        [
            (
                {"models": ["lightgbm", "lightgbm"]},
                "The parameter 'forecaster_grid.models': lightgbm, lightgbm names one "
                "twice: name each once.",
            ),
            (
                {"models": ["prophet"]},
                "The parameter 'forecaster_grid.models.0' cannot be 'prophet': it "
                "should be 'random_forest', 'xgboost', 'lightgbm', 'lstm', "
                "'transformer', 'multitask' or 'informer'.",
            ),
            (
                {"asset": ["BTC"]},
                "There is no parameter 'forecaster_grid.asset'; did you mean 'assets'?",
            ),
        ],
    )
    def test_a_wrong_grid_is_told_in_a_sentence(self, block, said):
        with pytest.raises(ParameterError) as refused:
            namespaces(**block)

        assert str(refused.value) == said
