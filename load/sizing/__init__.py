"""How many servers a load takes, from what `make bench` has measured."""
