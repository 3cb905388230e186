"""
What an operator may set for this service, beyond the variables of every service: nothing.

Intake follows rules (`domain.py`), which are the same for everybody. The first policy of documents (approval limits) will stand here.
"""
