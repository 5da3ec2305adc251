"""Changes at the command line: as lines, as NDJSON, as a live table."""
