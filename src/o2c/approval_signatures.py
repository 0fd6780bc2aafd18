"""Signatures of approvals: Ed25519 with a person's OpenSSH key, checked against the public key in the policy."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_ssh_private_key,
    load_ssh_public_key,
)

_SCHEME = "ed25519"


class SignatureRefused(ValueError):
    """A key cannot be used, or a signature is not what it claims to be."""


@dataclass(frozen=True)
class Signed:
    """A signature as it is kept (scheme, fingerprint of the key, signature) and the instant that it covers."""

    signature: str
    signed_at: datetime


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """A person's key as ssh-keygen writes it, without a passphrase.

    Raises:
        SignatureRefused: there is none that can be read. Nothing of the file is in the message.
    """
    try:
        key = load_ssh_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise SignatureRefused(f"{path}: the key cannot be read ({error.strerror or 'error'}).") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SignatureRefused(
            f"{path}: is no OpenSSH private key without a passphrase, as `ssh-keygen -t ed25519` writes it."
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SignatureRefused(f"{path}: is no Ed25519 key.")
    return key


def read_public_key(text: str) -> Ed25519PublicKey:
    """The public key of a line like ``ssh-ed25519 AAAA... comment``.

    Raises:
        SignatureRefused: it is none.
    """
    try:
        key = load_ssh_public_key(text.strip().encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise SignatureRefused("the public key in controls.yml is no OpenSSH Ed25519 key")
    return key


def sign(text: str, key: Ed25519PrivateKey) -> str:
    """The signature of a text: ``ed25519:<fingerprint>:<signature>``."""
    made = base64.b64encode(key.sign(text.encode())).decode()
    return f"{_SCHEME}:{_fingerprint(key.public_key())}:{made}"


def check_signature(text: str, signature: str, public_key: str) -> None:
    """Raise SignatureRefused where the signature is not of exactly this text by exactly this key."""
    key = read_public_key(public_key)
    scheme, _, rest = signature.partition(":")
    fingerprint, _, encoded = rest.partition(":")
    if scheme != _SCHEME or not encoded:
        raise SignatureRefused("the signature is not one of ours")
    if fingerprint != _fingerprint(key):
        raise SignatureRefused("it was signed with another key than that of the policy")
    try:
        key.verify(base64.b64decode(encoded, validate=True), text.encode())
    except (InvalidSignature, ValueError):
        raise SignatureRefused("the signature is not of this approval") from None


def _fingerprint(key: Ed25519PublicKey) -> str:
    """The first 16 hex digits of the sha-256 of the raw key."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]
