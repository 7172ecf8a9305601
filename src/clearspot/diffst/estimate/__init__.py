"""Statistics without a network: from spots to bins and back, and how far counts stray."""
