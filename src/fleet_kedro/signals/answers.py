"""What the models say of now, and what they leave unsaid, in sentences."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from fleet_kedro.signals.brain_answer import BrainAnswer
from fleet_kedro.signals.calibrated_return import CalibratedReturn
from fleet_kedro.signals.ensemble_answer import EnsembleAnswer
from fleet_kedro.signals.learnt_rules import Learnt
from fleet_kedro.signals.present import Present
from fleet_kedro.signals.soundness import AssetFacts


class Answers(NamedTuple):
    """What was said; None for a source that was not asked."""

    brain: BrainAnswer | None
    ensembles: EnsembleAnswer | None


def facts_of(
    present: Present, answers: Answers, learnt: Learnt
) -> dict[str, AssetFacts]:
    """Return what is known of each asset beside the numbers that decide."""
    brain = answers.brain or BrainAnswer.silent("")
    facts = {}
    for asset in present.assets:
        remark = present.remarks.get(asset, "")
        if asset not in present.candles:
            facts[asset] = AssetFacts(None, np.nan, remark=remark)
            continue
        last = present.candles[asset].iloc[-1]
        facts[asset] = AssetFacts(
            candle_open=pd.Timestamp(last["timestamp"]).to_pydatetime(),
            price=float(last["close"]),
            gate_weights=brain.gate_weights.get(asset, {}),
            top_latents=brain.top_latents.get(asset, ()),
            remark=_remark(asset, answers, learnt, is_filled=bool(last["is_filled"])),
        )
    return facts


def _remark(asset: str, answers: Answers, learnt: Learnt, *, is_filled: bool) -> str:
    """Say what each source lacks; it is told of an asset that nobody can judge."""
    if is_filled:
        return "Its last candle only bridges a gap."
    brain, ensembles = answers
    sentences = []
    if brain is not None and not brain.trouble:
        sentences.append(_lack_of_brain(asset, brain, learnt))
    if ensembles is not None and asset not in ensembles.forecast:
        none = "It has no forecasters of its own."
        sentences.append(ensembles.troubles.get(asset, none))
    return " ".join(filter(None, sentences))


def _lack_of_brain(asset: str, brain: BrainAnswer, learnt: Learnt) -> str:
    if asset not in brain.learnt:
        return "The brain has not learnt it."
    if asset not in brain.probability:
        return "Something that the brain reads of its last bar is unknown."
    if learnt.curves is None:
        return "What the brain's probability is worth is not known."
    return ""


def notices_of(present: Present, answers: Answers, learnt: Learnt) -> tuple[str, ...]:
    """Say which models are missing or have no skill, once for all assets."""
    brain, ensembles = answers
    notices = [*present.notices, *learnt.notices]
    if brain is not None and brain.trouble:
        notices.append(brain.trouble)
    elif brain is not None and learnt.curves is not None:
        notices.append(_worthless(learnt.curves))
    if ensembles is not None:
        notices += ensembles.troubles.values()
        if ensembles.weightless:
            notices.append(_weightless(ensembles.weightless))
        if brain is not None and not brain.trouble and learnt.curves is not None:
            notices.append(_alone(present.assets, ensembles))
    return tuple(filter(None, notices))


def _worthless(curves: CalibratedReturn) -> str:
    if curves.kept_share > 0:
        return ""
    return (
        "Nothing of what the brain's probabilities promised came true out of sample, "
        "so it expects a return of zero."
    )


def _weightless(assets: tuple[str, ...]) -> str:
    return (
        f"No forecaster of {', '.join(assets)} beat the zero forecast out of sample, "
        "so zero is forecast."
    )


def _alone(assets: tuple[str, ...], ensembles: EnsembleAnswer) -> str:
    own = ensembles.forecast.keys() | ensembles.troubles.keys()
    alone = [asset for asset in assets if asset not in own]
    whom = "every asset" if len(alone) == len(assets) else ", ".join(alone)
    return f"Only the brain forecasts {whom}." if alone else ""
