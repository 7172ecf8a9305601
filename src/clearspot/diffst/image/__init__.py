"""What the image says of each bin: its pixels on the grid, and their features."""
