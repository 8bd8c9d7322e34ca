"""Which systems are told is read from a file nobody else may read; nothing of an address or secret is repeated."""

from collections.abc import Callable
from pathlib import Path

import pytest

from console.post import UnusableSettings, post_of
from console.settings import Settings
from console.webhook_file import WebhooksRefused, webhooks_in

SECRET = "whsec_" + "QUJD" * 8
Write = Callable[[str], Path]


@pytest.fixture
def written(tmp_path: Path) -> Write:
    """Write a file of webhooks that nobody else may read."""

    def write(text: str) -> Path:
        file = tmp_path / "webhooks.yaml"
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)
        return file

    return write


def test_each_system_has_its_address_and_secret(written: Write) -> None:
    [one] = webhooks_in(written(f"portal:\n  url: https://portal.example/hooks\n  secret: {SECRET}\n"))

    assert (one.name, one.url, one.secret) == ("portal", "https://portal.example/hooks", b"ABC" * 8)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"portal:\n  url: http://portal.example/\n  secret: {SECRET}\n", "https"),
        (f"portal:\n  url: https://me:word@portal.example/\n  secret: {SECRET}\n", "without user"),
        ("portal:\n  url: https://portal.example/\n  secret: short\n", "base64"),
        (f"portal:\n  url: https://portal.example/\n  secret: {SECRET}\n  kinds: all\n", "nothing else"),
        (f"Portal X:\n  url: https://portal.example/\n  secret: {SECRET}\n", "small letters"),
        ("portal\n", "its url and secret"),
        ("portal: {url: [\n", "YAML"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line_and_without_its_words(
    written: Write, text: str, said: str
) -> None:
    with pytest.raises(WebhooksRefused) as caught:
        webhooks_in(written(text))

    assert said in str(caught.value)
    assert "webhooks.yaml" in str(caught.value)
    assert not any(secret in str(caught.value) for secret in (SECRET, "portal.example", "me:word"))


def test_a_file_that_others_may_read_is_refused(written: Write) -> None:
    file = written(f"portal:\n  url: https://portal.example/hooks\n  secret: {SECRET}\n")
    file.chmod(0o644)

    with pytest.raises(UnusableSettings, match="chmod 600"):
        post_of(Settings(webhooks=file))
