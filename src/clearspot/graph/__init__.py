"""The spatial graph of a section: four strategies, built by squidpy, over the spots that passed quality control."""
