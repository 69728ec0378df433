"""What each chart of the lesson CNN on MNIST shows, computed from the run."""
