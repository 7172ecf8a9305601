"""What both models need to learn: device, precision, memory, schedule, progress and checkpoints."""
