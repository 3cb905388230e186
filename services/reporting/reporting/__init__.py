"""The read model: aging for any date on two time axes, roll-forward, KPIs, the first page."""
