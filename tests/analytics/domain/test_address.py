"""Where health data may be sent."""

import pytest

from analytics.domain.address import checked_url


@pytest.mark.parametrize("url", ["clinic.example", "ftp://clinic.example", "https://", ""])
def test_what_is_no_address_is_said(url):
    with pytest.raises(ValueError, match="not a clinic's address"):
        checked_url(url)


@pytest.mark.parametrize("url", ["http://clinic.example", "http://192.168.1.20:8000", "http://127.0.0.1.evil.example"])
def test_a_password_never_leaves_this_machine_unprotected(url):
    with pytest.raises(ValueError, match="unprotected"):
        checked_url(url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/", "http://localhost:8000", "http://[::1]:8000", "https://a.example"]
)
def test_good_addresses_are_taken(url):
    assert checked_url(url) == url.rstrip("/")
