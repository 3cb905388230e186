"""What the bodies of requests are made of in every service."""

import re
from datetime import date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

_written_as_day = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII).fullmatch


def _only_days(value: object) -> object:
    """Refuse what pydantic would take for a date besides `YYYY-MM-DD`: numbers, instants, other spellings."""
    if not isinstance(value, str):
        raise PydanticCustomError("wrong_type", "A string is expected")
    if not _written_as_day(value):
        raise PydanticCustomError("bad_date", "A day of the calendar written YYYY-MM-DD is expected")
    return value


Day = Annotated[date, BeforeValidator(_only_days, json_schema_input_type=date)]


class Body(BaseModel):
    """Bodies take the fields they name and no others."""

    model_config = ConfigDict(extra="forbid")
