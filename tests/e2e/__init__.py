"""The commands and services as a user runs them, failures included."""
