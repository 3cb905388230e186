"""The cases, in the order they are run."""
