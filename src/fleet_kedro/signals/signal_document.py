"""A portfolio signal as JSON text, and the schema that every such text obeys."""

import json
from typing import Any

from fleet_kedro.signals.signal_shape import SCHEMA_VERSION, PortfolioSignal

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def signal_text(signal: PortfolioSignal) -> str:
    """Write a signal: keys in the order of their declaration, assets in the fleet's.

    The same signal gives the same bytes, and `read_signal` gives it back.
    """
    return _text(signal.model_dump(mode="json"))


def read_signal(text: str) -> PortfolioSignal:
    """Read what `signal_text` wrote.

    Raises
    ------
    pydantic.ValidationError
        Names the key, its value and the rule that it breaks.
    """
    return PortfolioSignal.model_validate_json(text)


def signal_schema() -> dict[str, Any]:
    """Return the JSON Schema of a signal, of the version that is written today."""
    schema = PortfolioSignal.model_json_schema(mode="serialization")
    identity = {
        "$schema": _DIALECT,
        "$id": f"urn:fleet-kedro:multi-asset-signal:{SCHEMA_VERSION}",
    }
    return identity | schema


def schema_text() -> str:
    """Write the schema as it is published in the documentation."""
    return _text(signal_schema())


def _text(document: dict[str, Any]) -> str:
    written = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    return f"{written}\n"
