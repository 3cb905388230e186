"""
Policies as data (XC-05, XC-07): proposed by one person, approved by another, numbered, dated, one of them in force on a day.

A service brings the kinds it has (`kinds.PolicyKind`), how its fact of an approved policy is made, and a table `policy` in its own
database; the rest is here. `faults`, `bodies`, `versions`, `kinds` and `approvals` are pure: a domain may import them. `routes`, `schemas`
and `refusals` are for where HTTP is served.

Beside them stands what is in force in the same way and more than one service reads: under whose account a customer settles (`hierarchy`,
pure, and `customers`, over a table `customer_parent`).
"""
