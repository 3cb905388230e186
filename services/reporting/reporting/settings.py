"""The reporting service is told nothing of its own by the environment: windows, days and limits are asked for with each report."""
