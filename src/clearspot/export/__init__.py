"""The sample in formats that other tools open."""
