"""Delivery protocol, business day, HTTP and telemetry that every service stands on."""
