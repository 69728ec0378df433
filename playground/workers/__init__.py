"""Training in processes of its own: workers with an engine each, and the pool that the web process talks to."""
