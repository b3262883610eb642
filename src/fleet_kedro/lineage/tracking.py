"""What a catalog entry says to DVC beyond its place, as ``metadata: {dvc: ...}``.

Most entries say nothing: what a pipeline keeps is an out of its stage, cached and
removed before the stage runs again.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError

from fleet_kedro.config import Config
from fleet_kedro.lineage.errors import LineageError


class PlotLook(Config):
    """How DVC draws a small table.

    Attributes
    ----------
    title
        Its name in `dvc plots`, and what stands above it.
    template
        One of DVC's, such as ``linear`` or ``bar_horizontal``.
    x, y
        Columns; several of ``y`` are drawn together.
    """

    title: str = Field(min_length=1)
    x: str
    y: tuple[str, ...] = Field(strict=False, min_length=1)
    template: str = "linear"
    x_label: str | None = None
    y_label: str | None = None


class ModelNote(Config):
    """What the registry says about a model.

    ``name`` may hold the placeholders of its entry; what they stand for is written in
    lower case, as in the model's card.
    """

    name: str = Field(min_length=1)
    desc: str = Field(min_length=1)
    labels: tuple[str, ...] = Field(default=(), strict=False)


class Tracking(Config):
    """How DVC treats what an entry keeps.

    Attributes
    ----------
    track
        Whether it is an out of any stage, or a dependency. What tells the time is
        neither: it never comes out the same.
    persist
        Kept before its stage runs again, because the stage takes it up.
    cache
        Whether DVC keeps its bytes. Git does where this is off, so only for what is
        small and is text.
    metric
        Whether `dvc metrics` shows it.
    desc
        A line beside the out.
    plots, model
        How it is drawn; what the registry says about it.
    """

    track: bool = True
    persist: bool = False
    cache: bool = True
    metric: bool = False
    desc: str | None = None
    plots: tuple[PlotLook, ...] = Field(default=(), strict=False)
    model: ModelNote | None = None


def tracking_of(name: str, options: Mapping[str, Any]) -> Tracking:
    """Read what an entry says to DVC.

    Errors
    ------
    LineageError
        A key is unknown or a value is none that it takes.
    """
    said = (options.get("metadata") or {}).get("dvc", {})
    try:
        return Tracking.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in ("metadata", "dvc", *first["loc"]))
        raise LineageError(
            f"The catalog entry {name!r} says {place}: {first['input']!r}, and that "
            f"cannot be: {first['msg']}."
        ) from error
