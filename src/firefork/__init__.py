"""Firefork runs AWS Lambda functions written in Python on machines you own."""

__version__ = "0.1.0"
