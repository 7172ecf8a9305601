"""Checks of a sample on which the verdict rests: pure measures of arrays, without limits and without rendering."""
