"""HTTP and library to Kafka."""
