"""The stages as the text of a dvc.yaml."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import yaml

from fleet_kedro.lineage.stage import Model, Out, Stage
from fleet_kedro.lineage.tracking import PlotLook

HEADER = """\
# Written by `kedro fleet dvc-sync` from pipelines, catalog, parameters and imports.
# Edit those, and run it again; the tests refuse a file that is out of step.
#
# A stage is a pipeline on the embedded market. It depends on what it reads, on every
# module that it runs through, on the files of the catalog entries that it uses, on the
# versions of the libraries, and on its parameters, shared ones included.
"""


def render(stages: Sequence[Stage]) -> str:
    """Write the file: stages, then models for the registry, then plots."""
    parts = [
        HEADER + "stages:",
        *(_indented({stage.name: _stage(stage)}) for stage in stages),
    ]
    outs = [out for stage in stages for out in stage.outs]
    models = sorted(model for stage in stages for model in stage.models)
    if models:
        parts.append(_block({"artifacts": {m.name: _model(m) for m in models}}))
    if plots := list(_plots(outs)):
        parts.append(_block({"plots": plots}))
    first, *others = parts
    return first + "\n" + "\n\n".join(others) + "\n"


def _stage(stage: Stage) -> dict[str, Any]:
    plain = [out for out in stage.outs if not out.tracking.metric]
    metrics = [out for out in stage.outs if out.tracking.metric]
    told = {
        "desc": stage.desc,
        "cmd": stage.cmd,
        "deps": sorted([*stage.code, *stage.reads]),
        "params": [
            {f"conf/{file}": sorted(stage.keys[file])} for file in sorted(stage.keys)
        ],
        "outs": [_out(out) for out in plain],
        "metrics": [_out(out) for out in metrics],
    }
    return {key: value for key, value in told.items() if value}


def _out(out: Out) -> str | dict[str, Any]:
    """Write an out: its path alone, where DVC treats it as it treats most."""
    tracking = out.tracking
    options = {
        **({"desc": tracking.desc} if tracking.desc else {}),
        **({} if tracking.cache else {"cache": False}),
        **({"persist": True} if tracking.persist else {}),
    }
    return {out.path: options} if options else out.path


def _model(model: Model) -> dict[str, Any]:
    told = {
        "path": model.path,
        "type": "model",
        "desc": model.desc,
        "labels": list(model.labels),
    }
    return {key: value for key, value in told.items() if value}


def _plots(outs: Iterable[Out]) -> Iterator[dict[str, Any]]:
    for out in outs:
        for look in out.tracking.plots:
            yield {look.title: _plot(out.path, look)}


def _plot(path: str, look: PlotLook) -> dict[str, Any]:
    columns = look.y[0] if len(look.y) == 1 else list(look.y)
    labels = {"x_label": look.x_label, "y_label": look.y_label}
    return {
        "template": look.template,
        "x": look.x,
        "y": {path: columns},
        **{key: label for key, label in labels.items() if label},
    }


class _Dumper(yaml.SafeDumper):
    """Indent what stands in a list below its key, as people do."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        del indentless
        super().increase_indent(flow, indentless=False)


def _block(content: dict[str, Any]) -> str:
    text: str = yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, width=4096, allow_unicode=True
    )
    return text.rstrip("\n")


def _indented(content: dict[str, Any]) -> str:
    return "\n".join(f"  {line}" for line in _block(content).splitlines())
