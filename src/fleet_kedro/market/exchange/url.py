"""An address in the settings that a variable of the environment may leave open."""

from typing import Annotated

from pydantic import BeforeValidator


def _none_if_blank(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


Url = Annotated[str | None, BeforeValidator(_none_if_blank)]
"""An address; empty text, as of a variable that is not set, means none."""
