"""
The real delivery protocol in a simulated world: one thread, virtual time, and every choice drawn from one seed.

What is simulated ends at the drivers: asyncpg's and aiokafka's surface as far as the chassis uses it. Everything above it is the code
that runs in a service. A schedule that breaks a promise is repeated by its seed (`python -m simulation --from SEED --seeds 1 --trace`).
"""
