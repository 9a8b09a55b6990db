"""Catalogue to segments, kept in step."""
