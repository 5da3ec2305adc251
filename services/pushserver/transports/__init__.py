"""How a watch is asked for, one file per transport."""
