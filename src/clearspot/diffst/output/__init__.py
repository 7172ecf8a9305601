"""What users call, and what they are given."""
