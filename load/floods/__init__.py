"""What becomes of healthy watchers while one address attacks their push server."""
