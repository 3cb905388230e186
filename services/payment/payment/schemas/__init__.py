"""HTTP bodies of the payment service."""
