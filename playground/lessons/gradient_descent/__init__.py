"""The lesson Gradient descent: a ball on curves and surfaces, basins, and the largest learning rate."""
