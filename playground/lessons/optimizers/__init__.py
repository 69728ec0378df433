"""The lesson Optimizers: a race over the same batches, and the numbers inside each update."""
