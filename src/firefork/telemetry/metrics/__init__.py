"""Metrics: what is kept of them, how they are asked for, and where they come from besides the API."""
