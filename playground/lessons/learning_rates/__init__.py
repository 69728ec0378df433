"""The lesson "learning_rates"."""
