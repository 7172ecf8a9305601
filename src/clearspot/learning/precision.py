"""Number formats that a user can ask for; without torch, which the settings must not import."""

from typing import Literal

Precision = Literal["fp32", "bf16", "auto"]
