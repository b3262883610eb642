"""Wiring of the signalling."""

from kedro.pipeline import Pipeline

from fleet_kedro.pipelines.signalling.nodes import (
    ask_models,
    judge,
    look,
    tell_signal,
)
from fleet_kedro.pipelines.step import step


def create_pipeline(**_: object) -> Pipeline:
    """Newest candles and serving models to the portfolio signal."""
    return Pipeline(
        [
            step(
                look,
                [
                    *("clean_candles", "dominance_at_hand", "params:universe"),
                    *("params:dominance_policy", "params:serving"),
                ],
                "present",
            ),
            step(
                ask_models,
                ["present", "serving_models", "params:serving", "params:signalling"],
                ["model_answers", "learnt_rules"],
            ),
            step(
                judge,
                ["present", "model_answers", "learnt_rules", "params:signalling"],
                "portfolio_signal",
            ),
            # What is filed comes first: the latest signal is never one that is lost.
            step(
                tell_signal,
                ["portfolio_signal"],
                ["signal_archive", "multi_asset_signal", "signal_page"],
            ),
        ],
        tags="signalling",
    )
