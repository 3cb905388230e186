"""Credit limits and exposure per account."""
