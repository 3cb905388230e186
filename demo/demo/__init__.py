"""Plays a ledger through the five services as an ERP and a bank would, and checks that it ties."""
