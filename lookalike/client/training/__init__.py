"""Models made of a shop's own pictures: what both clients offer of them."""
