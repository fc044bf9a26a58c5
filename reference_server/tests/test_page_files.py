"""Redirects of the page server: to the page that was meant, with all that it was asked (contract §7)."""

from pathlib import Path

import pytest

from reference_server.app import PAGES
from reference_server.http.page_files import PageFiles
from reference_server.http.responses import head_of


def location(files: PageFiles, path: str, query: bytes) -> bytes:
    page = files.get(head_of("GET", path, query, (), "192.0.2.1"), "http")
    assert page is not None
    assert page.status == 307
    return dict(page.headers)[b"location"]


@pytest.mark.parametrize(
    ("path", "query", "target"),
    [
        ("/login", b"", b"/login.html"),
        (
            "/login",
            b"next=%2Ftasks.html%3Fa%3D1&b=%20",
            b"/login.html?next=%2Ftasks.html%3Fa%3D1&b=%20",
        ),
        ("/login", "nächste=ü".encode(), "/login.html?nächste=ü".encode()),
        ("/", b"", b"/dashboard.html"),
        ("/", b"from=mail", b"/dashboard.html?from=mail"),
    ],
)
def test_a_redirect_to_a_page_keeps_the_query_as_it_came(path: str, query: bytes, target: bytes) -> None:
    assert location(PageFiles(PAGES), path, query) == target


def test_a_folder_without_a_page_of_that_name_redirects_nobody(tmp_path: Path) -> None:
    assert PageFiles(tmp_path).get(head_of("GET", "/login", b"next=/", (), "192.0.2.1"), "http") is None
