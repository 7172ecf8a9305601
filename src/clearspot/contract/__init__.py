"""What every part of clearspot agrees on: the steps, their metrics, the readers of what users hand over.

Everything else imports from here; nothing here imports a step.
"""
