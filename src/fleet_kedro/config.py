"""The one base class of every parameter block.

Kedro builds a block from YAML before the first node runs, so a typo, a wrong unit or
an impossible value stops a run while nothing has been computed yet.
"""

from pydantic import BaseModel, ConfigDict


class Config(BaseModel):
    """A frozen, strict block of parameters: no unknown keys, no silent conversions.

    Errors
    ------
    pydantic.ValidationError
        Names the key, the value and the rule that it breaks.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")
