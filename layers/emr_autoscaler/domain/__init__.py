"""Decisions and the values they are made from. Standard library only; no I/O, no clock, no chance."""
