"""What tests stand on: brokers, topics, waiting with a deadline."""
