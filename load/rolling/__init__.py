"""What watchers notice of a restart of every push server, or a reload of the front door: `python -m load.rolling`."""
