"""The credit service is told nothing of its own by the environment: a limit is a fact, set over HTTP, not a setting."""
