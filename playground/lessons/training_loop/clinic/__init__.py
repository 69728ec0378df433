"""The clinic: short training scripts that really run, each with one fault."""
