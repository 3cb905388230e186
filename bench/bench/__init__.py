"""Measures the pipeline beside a floor taken in the same run."""
