"""One module an evaluation, each with ``cases()``, ``METHODS`` and ``evaluate(case, method, seed) -> rows``."""
