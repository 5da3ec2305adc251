"""Faults in a whole cluster under load, with every watcher's history judged by the oracle."""
