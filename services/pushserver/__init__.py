"""Kafka to every connection."""
