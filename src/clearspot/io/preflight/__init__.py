"""Input checks before any expensive step: all problems of a sample's input, each with a fix."""

from clearspot.io.preflight.check import check_outs

__all__ = ["check_outs"]
