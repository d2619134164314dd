"""What arrives and what operators write, as pydantic models that turn into domain values."""
