"""The spatial graph of a section: four strategies, over the spots that passed quality control."""
