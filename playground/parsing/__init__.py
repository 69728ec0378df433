"""Parsers with allow-lists for what visitors type: formulas and arrays."""
