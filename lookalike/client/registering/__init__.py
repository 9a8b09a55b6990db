"""Models that are registered: what both clients offer of them."""
