"""What Kedro calls on the way: before a run a check, after it a pointer."""

import logging
import sys
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.pipeline import Pipeline
from kedro.validation import TypeExtractor
from pydantic import BaseModel, ValidationError

from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.window import BARS_PER_DAY, Window
from fleet_kedro.pipelines.forecaster_grid import ForecasterGrid, configured_grid
from fleet_kedro.splits.walk_forward import WalkForward
from fleet_kedro.validation.settings import ReportSettings

REPORTS = (
    *("report_page", "tuning_page", "forecaster_page", "backtest_page"),
    "signal_page",
)

# What a signal cannot do without, and the pipeline that makes it.
NEEDED = {"clean_candles": "ingestion"}

# With less, the time blocks of the first training span are too small to compare.
SHORTEST_TRAINING_BARS = 48

Block = TypeVar("Block", bound=BaseModel)

logger = logging.getLogger(__name__)


class ParameterError(ValueError):
    """A parameter is unknown, or its value is none that the run can work with.

    Its sentence names the value and the remedy, so the command line prints it as it
    stands, without a traceback.
    """


class NameTheReport:
    """End a run that wrote a report by saying where it lies."""

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: Any) -> None:
        """Name the report's path, relative to where the run was started if inside."""
        for report in pipeline.outputs().intersection(REPORTS):
            path = Path(str(catalog.get(report)._filepath))
            here = Path.cwd()
            inside = path.is_relative_to(here)
            logger.info("\nReport: %s", path.relative_to(here) if inside else path)


class AskForWhatASignalNeeds:
    """Refuse a signal in a sentence where there is nothing yet to make one from.

    Much may be missing and a signal still be made. These may not, and Kedro would fold
    that into a page of text.
    """

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: Any) -> None:
        """Look for what only another pipeline can make."""
        if "portfolio_signal" not in pipeline.all_outputs():
            return
        for dataset, maker in NEEDED.items():
            if dataset in pipeline.inputs() and not catalog.exists(dataset):
                raise MarketError(
                    f"There is nothing to make a signal from: {dataset} is missing. "
                    f"Run `kedro run --pipelines {maker}` first."
                )


class CheckParameters:
    """Refuse what no run can work with, before anything is read, computed or written.

    Kedro accepts any ``--params`` key, so ``--params fold=3`` would silently run with
    the default. It also builds the parameter classes itself, but folds their errors
    into a page of text; here they are built first, and told in a sentence.
    """

    @hook_impl
    def after_context_created(self, context: Any) -> None:
        """Check names, then values, then whether the values go together."""
        loader = context.config_loader
        source = Path(loader.conf_source)
        if source.is_dir():  # an archive of configuration is left to Kedro
            folders = {path.name for path in source.iterdir() if path.is_dir()}
            refuse_unknown("environment", filter(None, [context.env]), folders)
            refuse_unknown(
                "parameter", loader.runtime_params or {}, _names_in(source / "base")
            )
        raw = loader["parameters"]
        hand_on_grid(raw)
        blocks = _build_blocks(raw)
        refuse_two_histories(raw.get("window", {}), raw.get("walk_forward", {}))
        if isinstance(report := blocks.get("report"), ReportSettings):
            refuse_stranger(report, raw.get("universe", {}).get("assets", ()))
        window, walk = blocks.get("window"), blocks.get("walk_forward")
        if isinstance(window, Window) and isinstance(walk, WalkForward):
            refuse_short_window(window, walk)


def hand_on_grid(raw: Mapping[str, Any]) -> None:
    """Let the pipelines be built for the assets and models that are configured.

    Where they were built before, for others, they are built again.
    """
    if "forecaster_grid" not in raw:
        return
    grid = _built("forecaster_grid", ForecasterGrid, raw["forecaster_grid"])
    if grid != configured_grid.get():
        configured_grid.set(grid)
        if "fleet_kedro.pipelines.asset_training" in sys.modules:
            pipelines.configure("fleet_kedro.pipeline_registry")


def refuse_unknown(kind: str, names: Iterable[str], known: set[str]) -> None:
    """Raise a `ParameterError` at the first name that is not known."""
    for name in names:
        if name not in known:
            raise ParameterError(
                f"There is no {kind} {name!r}; {_suggestion(name, known)}"
            )


def refuse_two_histories(window: Mapping[str, Any], walk: Mapping[str, Any]) -> None:
    """Raise a `ParameterError` if window and walk ask for histories of two lengths.

    The window admits an asset by the same number by which a fold does: a longer one in
    the window would drop assets that folds could use, a shorter one in the walk would
    let them learn from assets that are thought too young. The raw blocks are compared,
    because a run of one pipeline may build only one of them.
    """
    ours, theirs = window.get("min_history_days"), walk.get("min_history_days")
    if ours != theirs:
        raise ParameterError(
            f"window.min_history_days={ours} and walk_forward.min_history_days={theirs}"
            " differ: an asset joins window and folds at one age; give both the same "
            "number, as min_history_days in globals.yml does, or null."
        )


def refuse_stranger(report: ReportSettings, assets: Sequence[str]) -> None:
    """Raise a `ParameterError` if the baseline asset is none of the universe."""
    if report.baseline_asset not in assets:
        raise ParameterError(
            f"report.baseline_asset={report.baseline_asset!r} is none of the "
            f"universe's assets; choose one of {', '.join(assets)}."
        )


def refuse_short_window(window: Window, walk: WalkForward) -> None:
    """Raise a `ParameterError` if the first training span of a walk is too short.

    The window is cut into ``folds + 1`` parts, the first of them into
    ``warmup_folds + 1`` steps; purge and embargo are taken off the first step.
    """
    kept_empty = walk.purge_bars + walk.embargo_bars
    steps = (walk.folds + 1) * (walk.warmup_folds + 1)
    training_bars = window.days * BARS_PER_DAY // steps - kept_empty
    if training_bars < SHORTEST_TRAINING_BARS:
        needed_days = -(-steps * (kept_empty + SHORTEST_TRAINING_BARS) // BARS_PER_DAY)
        raise ParameterError(
            f"days={window.days} is too short for folds={walk.folds}: the first "
            f"forecasts would be learnt from {max(training_bars, 0)} hours of candles; "
            f"choose days >= {needed_days} or fewer folds."
        )


def _names_in(folder: Path) -> set[str]:
    """List the first level of the parameters; their classes know the others."""
    return {
        name
        for file in sorted(folder.glob("parameters*.yml"))
        for name in yaml.safe_load(file.read_text(encoding="utf-8"))
    }


def _build_blocks(raw: Mapping[str, Any]) -> dict[str, BaseModel]:
    """Build every block that a node of the requested pipelines asks for by its type."""
    types = TypeExtractor(dict(pipelines)).extract_types_from_pipelines()
    blocks = {}
    for name, block_type in types.items():
        if issubclass(block_type, BaseModel) and name in raw:
            blocks[name] = _built(name, block_type, raw[name])
    return blocks


def _built(name: str, block_type: type[Block], raw: object) -> Block:
    try:
        return block_type.model_validate(raw)
    except ValidationError as error:
        raise ParameterError(_sentence(name, block_type, error)) from error


def _sentence(name: str, block_type: type[BaseModel], error: ValidationError) -> str:
    """Tell the first thing that is wrong with a block."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in (name, *first["loc"]))
    if first["type"] == "extra_forbidden":
        known = set(block_type.model_fields) if len(first["loc"]) == 1 else set()
        hint = f"; {_suggestion(str(first['loc'][-1]), known)}" if known else ""
        return f"There is no parameter {place!r}{hint or '.'}"
    if first["type"] == "missing":
        return f"The parameter {place!r} is missing; add it to the configuration."
    if first["type"] == "value_error":
        return f"The parameter {place!r}: {first['ctx']['error']}"
    rule = first["msg"].replace("Input should", "it should")
    return f"The parameter {place!r} cannot be {first['input']!r}: {rule}."


def _suggestion(name: str, known: set[str]) -> str:
    close = get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"there are {', '.join(sorted(known))}."
