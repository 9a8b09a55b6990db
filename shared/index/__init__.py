"""Segments, manifests and what searches them."""
