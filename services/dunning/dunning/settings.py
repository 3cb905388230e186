"""The dunning service is told nothing of its own by the environment: a procedure is data with a version, `domain.STANDARD`."""
