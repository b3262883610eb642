"""Look at what is known now, ask the models, judge, tell."""

import logging

import pandas as pd
from kedro.io.core import DatasetError

from fleet_kedro.features.newest import NewestFeatures
from fleet_kedro.market.by_asset import CandleLoaders
from fleet_kedro.market.dominance import DominancePolicy
from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.universe import Universe
from fleet_kedro.pipelines.signalling.model_store import ModelStore
from fleet_kedro.reports.figures.portfolio import draw_portfolio
from fleet_kedro.reports.signal_page import render_signal
from fleet_kedro.reports.signal_table import signal_lines
from fleet_kedro.signals.answers import Answers
from fleet_kedro.signals.brain_answer import ask_brain
from fleet_kedro.signals.decision import SignalSettings
from fleet_kedro.signals.ensemble_answer import ask_ensembles
from fleet_kedro.signals.judgement import judge_present
from fleet_kedro.signals.learnt_rules import Learnt, read_learnt
from fleet_kedro.signals.portfolio_signal import NothingToJudge
from fleet_kedro.signals.present import Present, ServingSettings, take_present
from fleet_kedro.signals.signal_document import read_signal, signal_text
from fleet_kedro.signals.signal_shape import PortfolioSignal

logger = logging.getLogger(__name__)

Tables = dict[str, pd.DataFrame]


def look(
    candles: CandleLoaders,
    dominance: pd.DataFrame | None,
    universe: Universe,
    policy: DominancePolicy,
    serving: ServingSettings,
) -> Present:
    """Take the newest candles of the fleet; what cannot be read is left out."""
    read: Tables = {}
    remarks: dict[str, str] = {}
    for asset in universe.assets:
        if asset not in candles:
            continue
        try:
            read[asset] = candles[asset]()
        except (DatasetError, OSError, ValueError) as error:
            remarks[asset] = f"Its candles cannot be read: {error}"
            logger.warning("%s: %s", asset, remarks[asset])
    present = take_present(read, universe.assets, dominance, policy, serving)
    return present._replace(remarks=remarks)


def ask_models(
    present: Present,
    models: ModelStore,
    serving: ServingSettings,
    settings: SignalSettings,
) -> tuple[Answers, Learnt]:
    """Ask the sources that are wanted, each by its own recipe, and what they learnt."""
    served = models.in_stage(serving.stage)
    newest = NewestFeatures(present.candles, present.shares)
    brain = None if settings.forecast == "ensemble" else ask_brain(newest, served)
    ensembles = None
    if settings.forecast != "brain":
        ensembles = ask_ensembles(newest, served, settings.horizon_hours)
    learnt = read_learnt(served, brain.card if brain else None, settings)
    return Answers(brain, ensembles), learnt


def judge(
    present: Present, answers: Answers, learnt: Learnt, settings: SignalSettings
) -> PortfolioSignal:
    """Judge every asset, and make a portfolio of them.

    Raises
    ------
    MarketError
        If there is nothing to judge; the last good signal stays in force.
    """
    try:
        return judge_present(present, answers, learnt, settings)
    except NothingToJudge as nothing:
        raise MarketError(str(nothing)) from nothing


def tell_signal(signal: PortfolioSignal) -> tuple[str, str, str]:
    """Tell it on the console; return what is filed, the latest, and its page."""
    logger.info("\n".join(signal_lines(signal)))
    text = signal_text(signal)
    # Nothing is written that a reader would refuse.
    read_signal(text)
    return text, text, render_signal(signal, draw_portfolio(signal))
