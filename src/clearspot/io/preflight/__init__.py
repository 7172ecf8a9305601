"""The gate before everything costly: what is wrong with a sample's input, all of it, in words that help to mend it."""

from clearspot.io.preflight.check import check_outs

__all__ = ["check_outs"]
