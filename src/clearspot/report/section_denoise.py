"""Denoising: how training went, whether it beats plain averaging on held-out counts, gene attention, maps."""

from __future__ import annotations

from clearspot.report.blocks import Notice, Section
from clearspot.report.gene_maps import gene_maps
from clearspot.report.view import SampleView


def denoise_section(view: SampleView) -> Section:
    """Build the denoising tab."""
    section = Section("denoising", "Denoising")
    if not view.records.ran("dusted"):
        section.blocks.append(Notice("The sample was not denoised."))
        return section
    section.blocks += gene_maps(view)
    return section
