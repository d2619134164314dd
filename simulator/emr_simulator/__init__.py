"""A virtual EMR, YARN and spot market in virtual time: for tests, rehearsals and benchmarks."""
