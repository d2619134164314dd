"""Benchmarks: every policy on the same work, many seeds, the optimum beside them. Pages are drawn in report/."""
