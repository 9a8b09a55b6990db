"""Paths and methods: validate, call one function, answer."""
