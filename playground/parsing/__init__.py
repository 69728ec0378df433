"""What visitors type, read by allow-lists: formulas and arrays."""
