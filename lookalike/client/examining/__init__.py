"""Exams of indexes: what both clients offer of them."""
