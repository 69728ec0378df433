"""The lesson Classification: a small network that separates clouds of points, and a look inside it."""
