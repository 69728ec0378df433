"""What the engine runs: trainings and things shown step by step, with history, journal and state."""
