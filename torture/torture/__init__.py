"""Hurts everything while money moves, and proves afterwards that no minor unit was lost or doubled."""
