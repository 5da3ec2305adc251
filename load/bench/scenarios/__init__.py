"""The scenarios, one a file; `load/bench/catalogue.py` lists them."""
