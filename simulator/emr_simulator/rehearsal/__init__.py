"""What `make demo` runs: a compressed day through the deployed functions, then what came of it."""
