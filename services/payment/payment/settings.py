"""
The payment service is told nothing of its own by the environment.

How money is applied is a policy, data with a version (`domain.STANDARD`): two processes with different environments must not settle the
same account differently.
"""
