"""Measures that several steps and the benchmarks share."""
