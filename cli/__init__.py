"""The watchroute command."""
