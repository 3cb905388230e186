"""
A simulated Postgres: rows, transactions and locks as READ COMMITTED has them, and exactly the statements the chassis asks.

Rows are versions that never change: a transaction keeps its own beside the committed ones. A statement that has read something and then
has to wait for a lock goes on with what it read, and reads the locked row again, as Postgres does.
"""
