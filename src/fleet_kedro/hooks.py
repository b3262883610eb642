"""What Kedro calls on the way: before a run a check, after it a pointer."""

import logging
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline

from fleet_kedro.market.errors import MarketError

REPORT = "report_page"


logger = logging.getLogger(__name__)


class NameTheReport:
    """End a run that wrote a report by saying where it lies."""

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: Any) -> None:
        """Name the report's path, relative to where the run was started if inside."""
        if REPORT in pipeline.outputs():
            path = Path(str(catalog.get(REPORT)._filepath))
            here = Path.cwd()
            inside = path.is_relative_to(here)
            logger.info("\nReport: %s", path.relative_to(here) if inside else path)


class KnownParameters:
    """Refuse a ``--params`` key that nothing reads.

    Kedro accepts any key, so ``--params fold=3`` would silently run with the default.
    Keys below the first level are checked by the parameter classes themselves.
    """

    @hook_impl
    def after_context_created(self, context: Any) -> None:
        """Compare the keys given at run time with those of the base configuration."""
        given = context.config_loader.runtime_params or {}
        base = Path(context.config_loader.conf_source) / "base"
        known = {
            key
            for file in sorted(base.glob("parameters*.yml"))
            for key in yaml.safe_load(file.read_text())
        }
        for key in given:
            if key not in known:
                close = get_close_matches(key, known, n=1)
                hint = f"did you mean {close[0]!r}?" if close else "known are "
                names = "" if close else ", ".join(sorted(known)) + "."
                raise MarketError(f"--params {key}: no such parameter; {hint}{names}")
