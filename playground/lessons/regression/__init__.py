"""The lesson "regression"."""
