"""Signatures with OpenSSH keys: made by one, confirmed by the line of its public key, and by nothing else."""

import shutil
import subprocess
from pathlib import Path

import pytest
from approval_books import key_of, private_file, public_line
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from o2c.approval_signatures import SignatureRefused, check_signature, read_private_key, read_public_key, sign

TEXT = '{"what": "o2c approval 1"}'


def openssh(key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


def keygen(path: Path, passphrase: str) -> None:
    """A key as people make it, with its ``.pub`` beside."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", path], check=True)


def test_a_key_file_as_ssh_keygen_writes_it_signs_what_its_public_line_confirms(tmp_path):
    path = tmp_path / "id_ed25519"
    path.write_bytes(private_file("dora"))
    signature = sign(TEXT, read_private_key(path))
    check_signature(TEXT, signature, public_line("dora"))
    assert signature.startswith("ed25519:")
    assert signature == sign(TEXT, key_of("dora"))


def test_a_key_that_ssh_keygen_made_is_read(tmp_path):
    path = tmp_path / "id"
    keygen(path, "")
    signature = sign(TEXT, read_private_key(path))
    check_signature(TEXT, signature, path.with_suffix(".pub").read_text())


def test_a_key_with_a_passphrase_is_refused_since_nobody_is_asked_for_it(tmp_path):
    keygen(tmp_path / "id", "swordfish")
    with pytest.raises(SignatureRefused, match="without a passphrase"):
        read_private_key(tmp_path / "id")


@pytest.mark.parametrize(
    ("text", "signature", "key", "why"),
    [
        (TEXT + " ", sign(TEXT, key_of("dora")), "dora", "not of this approval"),
        (TEXT, sign(TEXT, key_of("erik")), "dora", "another key"),
        (TEXT, sign(TEXT, key_of("dora"))[:-8], "dora", "not of this approval"),
        (TEXT, sign(TEXT, key_of("dora")) + "é", "dora", "not of this approval"),
        (TEXT, "", "dora", "not one of ours"),
        (TEXT, "rsa:1234:AAAA", "dora", "not one of ours"),
        (TEXT, "ed25519:1234", "dora", "not one of ours"),
    ],
    ids=["another text", "another key", "cut", "with a letter more", "empty", "another scheme", "without it"],
)
def test_nothing_else_is_confirmed(text, signature, key, why):
    with pytest.raises(SignatureRefused, match=why):
        check_signature(text, signature, public_line(key))


def test_keys_that_cannot_be_used_are_refused_without_a_word_of_them(tmp_path):
    wrong = {
        "none": b"not a key: swordfish",
        "rsa": openssh(generate_private_key(65537, 2048)),
    }
    for name, content in wrong.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(SignatureRefused, match=name) as refused:
            read_private_key(path)
        assert "swordfish" not in str(refused.value)
    with pytest.raises(SignatureRefused, match="cannot be read"):
        read_private_key(tmp_path / "missing")


@pytest.mark.parametrize(
    "line", ["", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAA", "é"]
)
def test_lines_that_are_no_public_key_are_refused(line):
    with pytest.raises(SignatureRefused, match="no OpenSSH Ed25519 key"):
        read_public_key(line)
