"""The lesson "gradient_descent"."""
