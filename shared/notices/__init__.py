"""Notices: a shard changed, look at once instead of a third of a second later."""
