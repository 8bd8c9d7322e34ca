"""The file that says which systems are told of what was sealed (`XUEJI_WEBHOOKS`).

    portal:
      url: https://HOST/PATH
      secret: whsec_…            # base64 of at least 24 bytes, known to both

It holds secrets, so nothing of an address or secret in it is ever repeated.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from console.secret_file import secret_text
from engine.errors import XuejiError
from engine.loading.nodes import Node
from engine.loading.strict_yaml import read_text
from notifications.webhooks import Webhook

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_PREFIX = "whsec_"
_SHORTEST_SECRET = 24
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_FIELDS = frozenset({"url", "secret"})


class WebhooksRefused(XuejiError):
    """The file of webhooks cannot be used; every fault is named, by its line where it has one."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(f"XUEJI_WEBHOOKS：{one}" for one in faults)
        super().__init__("\n".join(self.faults))


def webhooks_in(file: Path) -> Sequence[Webhook]:
    """The systems to be told, by name.

    Raises:
        WebhooksRefused: If the file cannot be read or may be read by others, or anything in it cannot be used.
    """
    root, broken = read_text(secret_text(file, lambda said: WebhooksRefused([said])), file.name)
    if root is None or broken or not isinstance(root.value, Mapping):
        lines = [f"{file}:{one.line}: 无法按 YAML 读取 it cannot be read as YAML" for one in broken]
        raise WebhooksRefused(lines or [f"{file} 应为“名称: url 与 secret”的列表 a name, its url and secret, for each"])
    entries = root.entries.items()
    faults = [f"{file}:{node.place.line}: {name}: {said}" for name, node in entries for said in _faults(name, node)]
    if faults:
        raise WebhooksRefused(faults)
    return tuple(
        Webhook(name=name, url=str(node.entries["url"].value), secret=_secret(str(node.entries["secret"].value)) or b"")
        for name, node in sorted(root.entries.items())
    )


def _faults(name: str, node: Node) -> Iterator[str]:
    if not _NAME.fullmatch(name):
        yield "名称用小写字母、数字和连字符 a name of small letters, digits and hyphens is expected"
    if not isinstance(node.value, Mapping) or set(node.entries) != _FIELDS:
        yield "应有且只有 url 与 secret it needs url and secret, and nothing else"
        return
    if not _is_good(str(node.entries["url"].value)):
        yield "url 应为 https 地址，不含用户名和密码 url should be an https address without user and password"
    if _secret(str(node.entries["secret"].value)) is None:
        yield f"secret 应为 {_PREFIX} 加 base64 it should be so and base64, of {_SHORTEST_SECRET} bytes or more"


def _is_good(url: str) -> bool:
    """Whether what is sent there stays secret on its way; only this machine itself may do without."""
    parts = urlsplit(url)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE)
    return is_safe and bool(parts.hostname) and parts.username is None and not parts.fragment


def _secret(text: str) -> bytes | None:
    try:
        made = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        return None
    return made if text.startswith(_PREFIX) and len(made) >= _SHORTEST_SECRET else None
