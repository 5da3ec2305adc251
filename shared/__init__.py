"""What both services must agree on."""
