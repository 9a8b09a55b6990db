"""Ports between services: a searcher and an embedder, near or far."""
