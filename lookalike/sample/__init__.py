"""A shop's catalogue drawn by program: no data needed, the same for the same seed."""
