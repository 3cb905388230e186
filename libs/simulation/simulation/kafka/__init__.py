"""A simulated Kafka: partitions that only grow, an idempotent producer that burns its numbers, a group with sessions and rebalances."""
