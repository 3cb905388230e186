"""What hurts the stack, and when: kinds of faults, a plan made from a seed, and the hand that strikes and heals."""
