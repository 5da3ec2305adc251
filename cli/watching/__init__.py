"""A watcher at the command line: the same watch over any transport, resumed for ever."""
