"""
The statements the simulated Postgres understands, each a small function over one transaction, found by its text with whitespace folded.

What a statement does is held to the real Postgres by `tests/simulation/test_store.py`.
"""

from simulation.store.statements import days, effects, mutated, outbox, parking, streams
from simulation.store.statements.registry import UnknownStatement, statement, statement_of, taught

__all__ = ["UnknownStatement", "days", "effects", "mutated", "outbox", "parking", "statement", "statement_of", "streams", "taught"]
