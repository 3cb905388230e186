"""Dunning procedure: levels move when the day turns, notices leave."""
