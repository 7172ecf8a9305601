"""Fixtures that every suite shares."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.browser import Browser, find_chromium

REPO = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long tests first: one that starts last would run alone."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def repo() -> Path:
    """Root of the checkout."""
    return REPO


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real sections beside the checkout; tests that need it are skipped where it is absent."""
    folder = REPO.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real sections (../shared/data) are not on this machine")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium on this machine")
    browser = Browser(executable)
    yield browser
    browser.close()
