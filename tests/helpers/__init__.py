"""What several test files use. Tests import it as ``tests.helpers``: the root of the checkout is on pytest's path."""
