"""Keys that sign heads: Ed25519 in PKCS#8 files only their owner may read, encrypted where a passphrase is given."""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from console.durable import make
from console.settings import Settings
from engine.errors import XuejiError
from engine.trail.notes import ED25519, Signer


class UnusableKey(XuejiError):
    """A file does not hold the key it should."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"密钥文件 {path} 无法使用：{why}。请放回原文件，检查 XUEJI_SEAL_KEY 与 XUEJI_SEAL_PASSPHRASE_FILE。"
            f" The key file {path} cannot be used; put the right one back, or check these two settings."
        )


def passphrase_of(settings: Settings) -> bytes | None:
    """The passphrase of the keys, from its file; None where they are not encrypted.

    Raises:
        UnusableKey: If the file cannot be read, or is empty.
    """
    path = settings.seal_passphrase_file
    if path is None:
        return None
    try:
        found = path.read_bytes().rstrip(b"\r\n")
    except OSError as problem:
        raise UnusableKey(path, f"口令文件读不出 the passphrase file cannot be read: {problem.strerror}") from problem
    if not found:
        raise UnusableKey(path, "口令文件是空的 the passphrase file is empty")
    return found


def make_key(path: Path, passphrase: bytes | None) -> None:
    """Make a new key.

    Raises:
        FileExistsError: If the file is there already.
    """
    encryption: KeySerializationEncryption = NoEncryption()
    if passphrase is not None:
        encryption = BestAvailableEncryption(passphrase)
    make(path, Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))


def read_signer(path: Path, name: str, passphrase: bytes | None, kind: int = ED25519) -> Signer:
    """The key in a file, signing under a name.

    Raises:
        UnusableKey: If there is none in it, or it needs another passphrase.
    """
    try:
        key = load_pem_private_key(path.read_bytes(), passphrase)
    except OSError as problem:
        raise UnusableKey(path, f"读不出 cannot be read: {problem.strerror}") from problem
    except (TypeError, ValueError, UnsupportedAlgorithm) as problem:
        raise UnusableKey(path, "格式或口令不对 not a key, or another passphrase") from problem
    if not isinstance(key, Ed25519PrivateKey):
        raise UnusableKey(path, "不是 Ed25519 密钥 not an Ed25519 key")
    return Signer(name, key, kind)


def previous(path: Path) -> Path:
    """Where the key before this one is kept, as long as both sign."""
    return path.with_name(f"{path.name}.previous")


def signers_of(settings: Settings, log: str) -> tuple[Signer, ...]:
    """The keys that seal this log, the newest first; none before the first is made.

    Raises:
        UnusableKey: If a file does not hold a key that can be read.
    """
    path, passphrase = settings.seal_key_file, passphrase_of(settings)
    files = [one for one in (path, previous(path)) if one.exists()]
    return tuple(read_signer(one, log, passphrase) for one in files) if path in files else ()
