"""What a service lives through while it is killed: flows over a real Kafka for named points, sweeps over every line for the two loops."""
