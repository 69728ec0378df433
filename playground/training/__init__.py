"""What torch trains: models, optimizers, the training loop."""
