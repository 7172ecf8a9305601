"""What both models need to learn: the device, its precision and its memory."""
