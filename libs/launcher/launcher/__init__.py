"""Real Kafka and Postgres as local processes, and the five services on them."""
