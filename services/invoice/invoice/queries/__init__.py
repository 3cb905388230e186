"""Every SQL statement of this service, by noun. Columns: `tables`; nothing here commits."""
