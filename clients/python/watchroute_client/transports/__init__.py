"""The transports: each opens a connection, tells what comes over it, and raises WatchError when it is over."""
