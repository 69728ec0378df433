"""The lesson Regression: a small network that fits a curve to noisy points."""
