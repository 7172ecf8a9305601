"""DUSTED: denoising of spatial expression with gene channel and spatial graph attention."""

from clearspot.dusted.denoising import denoise
from clearspot.dusted.params import DustedParams
from clearspot.dusted.result import DustedResult

__all__ = ["DustedParams", "DustedResult", "denoise"]
