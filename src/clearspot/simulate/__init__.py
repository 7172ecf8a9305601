"""Simulated samples with known truth: a tissue phantom in Space Ranger's format, and the DUSTED paper's benchmark."""
