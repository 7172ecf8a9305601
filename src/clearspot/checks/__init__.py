"""Checks of a slide as a whole, the evidence behind its verdict: functions on arrays, without limits or pictures."""
