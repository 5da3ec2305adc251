"""Tests, in tiers: unit, conformance, integration, e2e, chaos, browser."""
