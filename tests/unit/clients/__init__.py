"""Clients that applications use."""
