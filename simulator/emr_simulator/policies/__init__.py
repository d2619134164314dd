"""Policies that an experiment can run without the layer."""
