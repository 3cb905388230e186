"""What bodies are made of."""

from chassis.http.bodies import Body, Day

__all__ = ["Body", "Day"]
