"""JSON in the one way that equal values share, so that equal values hash equally."""

import json


def compact(value: object) -> bytes:
    """Write one line: sorted, without spaces, ASCII.

    Raises
    ------
    ValueError
        If a number is NaN or infinite, for which JSON has no word.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode("ascii")


def readable(value: object) -> bytes:
    """Write the same for people: sorted, indented, ending in a line break.

    Raises
    ------
    ValueError
        If a number is NaN or infinite, for which JSON has no word.
    """
    text = json.dumps(
        value, sort_keys=True, indent=2, allow_nan=False, ensure_ascii=False
    )
    return text.encode("utf-8") + b"\n"
