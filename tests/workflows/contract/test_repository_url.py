"""Only plain URLs of allowed hosts pass, rebuilt from their parts."""

import pytest

from workflows.contract.repository_url import parse_repository_url

HOSTS = ("github.com", "git.example.org")


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("/srv/code", "/srv/code"),
        ("/srv/my code/ä", "/srv/my code/ä"),
        ("https://github.com/a/b.git", "https://github.com/a/b.git"),
        ("https://github.com:443/a/b/", "https://github.com/a/b"),
        ("HTTPS://GitHub.COM/A/b", "https://github.com/A/b"),
        ("ssh://git@github.com/a/b.git", "ssh://git@github.com/a/b.git"),
        ("ssh://git@git.example.org:22/a", "ssh://git@git.example.org/a"),
        ("git@github.com:a/b.git", "git@github.com:a/b.git"),
        ("git@GITHUB.com:/a/b", "git@github.com:/a/b"),
    ],
)
def test_a_plain_url_has_one_spelling(url: str, canonical: str):
    """What is allowed comes back in its canonical form."""
    assert parse_repository_url(url, HOSTS).canonical == canonical


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "characters"),
        ("/" + "x" * 2_000, "characters"),
        ("relative/path", "neither"),
        ("~/code", "neither"),
        ("--upload-pack=touch x", "white space"),
        ("--upload-pack=evil", "neither"),
        ("-oProxyCommand=x@github.com:a", "neither"),
        ("ext::sh -c id", "white space"),
        ("ext::evil", "neither"),
        ("fd::7", "neither"),
        ("file:///srv/code", "scheme"),
        ("http://github.com/a/b", "scheme"),
        ("git://github.com/a/b", "scheme"),
        ("ftp://github.com/a/b", "scheme"),
        ("https::https://github.com/a", "scheme"),
        ("https://evil.example.org/a/b", "host"),
        ("https://github.com.evil.org/a", "host"),
        ("https://github.com./a/b", "host"),
        ("https://.github.com/a/b", "host"),
        ("https://169.254.169.254/latest", "host"),
        ("https://2852039166/latest", "host"),
        ("https://0251.0376.0251.0376/a", "host"),
        ("https://[::ffff:169.254.169.254]/a", "no plain host"),
        ("https://gïthub.com/a/b", "host"),
        ("https:///a/b", "host"),
        ("https://github.com", "no plain host"),
        ("https://github.com/", "path"),
        ("https://user:secret@github.com/a/b", "password"),
        ("https://git@github.com/a/b", "another user"),
        ("https://github.com@evil.org/a", "another user"),
        ("ssh://root@github.com/a/b", "another user"),
        ("ssh://github.com/a/b", "another user"),
        ("ssh://-oProxyCommand=evil/a", "another user"),
        ("ssh://git@-oProxyCommand=evil/a", "host"),
        ("git@-oProxyCommand=evil:a", "host"),
        ("root@github.com:a/b", "another user"),
        ("https://github.com:8443/a/b", "port"),
        ("ssh://git@github.com:2222/a", "port"),
        ("https://github.com/a/b%0aHost:evil", "percent"),
        ("https://github.com/a\n/b", "control"),
        ("/srv/code\0", "control"),
        ("/srv/\x1b[2Jcode", "control"),
        ("/srv/\ud800", "control"),
        (" https://github.com/a/b", "white space"),
        ("https://github.com/a/../b", "path"),
        ("https://github.com//a", "path"),
        ("https://github.com/a?x=1", "path"),
        ("https://github.com/a#x", "path"),
        ("https://github.com/-a/b", "path"),
        ("git@github.com:-oProxyCommand=x", "path"),
        ("git@github.com:a;id", "path"),
        ("git@github.com:a$(id)", "path"),
    ],
)
def test_anything_else_is_refused_with_its_reason(url: str, why: str):
    """The message names the reason and what to write instead."""
    with pytest.raises(ValueError, match=why) as refused:
        parse_repository_url(url, HOSTS)
    assert ";" in str(refused.value)


def test_a_refusal_does_not_repeat_a_password():
    """Errors are shown and kept, so what stands before the @ is left out."""
    with pytest.raises(ValueError, match="refused") as refused:
        parse_repository_url("https://user:secret@github.com/a/b", HOSTS)
    assert "secret" not in str(refused.value)
