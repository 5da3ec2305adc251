"""Tests of single parts against a Kafka."""
