"""Reading Space Ranger output and writing the data contract. Never imports torch."""
