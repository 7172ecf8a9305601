from tests.helpers.api_sections import _closed_figures, _denoised, denoised, finer, section

__all__ = ["_closed_figures", "_denoised", "denoised", "finer", "section"]
