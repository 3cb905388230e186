"""Every SQL statement of the payment service, by noun."""
