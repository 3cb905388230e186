"""What bodies are made of."""

from typing import Annotated

from chassis.http.bodies import Body, Day
from pydantic import Field

__all__ = ["Amount", "Body", "Day"]

Amount = Annotated[str, Field(examples=["12000.00"], description="A decimal string with at most the decimals of the currency.")]
