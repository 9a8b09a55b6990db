"""Indexes beside each other, and the aliases that lead to them: what both clients offer of it."""
