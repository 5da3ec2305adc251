"""The protocol, seen from outside."""
