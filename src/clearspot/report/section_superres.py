"""Super-resolution: said in words until the sample has it."""

from __future__ import annotations

from clearspot.report.blocks import Notice, Section
from clearspot.report.view import SampleView


def superres_section(view: SampleView) -> Section:
    """Build the super-resolution tab."""
    section = Section("superres", "Super-resolution")
    section.blocks.append(
        Notice(
            "Super-resolution was not run: it is left out by default (--skip_superres). Every value in this report was "
            "measured, or denoised from what was measured at the same spots; nothing was predicted between them."
        )
    )
    reason = view.records.metric("check", "superres_reason")
    if reason:
        section.blocks.append(Notice(f"It would need more than this sample came with: {reason}."))
    return section
