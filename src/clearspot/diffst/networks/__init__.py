"""The two networks, and the model they make."""
