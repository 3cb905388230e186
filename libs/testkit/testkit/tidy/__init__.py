"""
House rules that a program can check, as functions from a checkout to sentences about what breaks them; empty means tidy.

Each takes what it judges as an argument, so that a test can plant a violation and see it found. Which modules may import which is
declared in `.importlinter` and run by `imports`.
"""
