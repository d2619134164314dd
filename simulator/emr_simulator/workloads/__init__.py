"""Work for a simulated cluster: the job model, and where jobs come from."""
