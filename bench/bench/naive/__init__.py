"""
The naive reference: one service hop as a tutorial would write it, to know what the design is worth.

A span for every event, pydantic for its content, a session of the ORM, one transaction for one event. It keeps the same promise of one
hop: the event has effect once, and what follows from it is queued in the same transaction.
"""
