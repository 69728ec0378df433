"""Training in processes of its own: a pool of workers with an engine each, and a front that the web process talks to."""
