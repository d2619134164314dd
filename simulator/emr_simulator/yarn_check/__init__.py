"""Validation of the simulator's YARN against Hadoop's own ResourceManager (`make test-yarn`)."""
