"""The whole cluster as processes on this machine: what `make cluster` starts, and what the tests kill."""
