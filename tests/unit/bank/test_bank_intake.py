"""From delivered bytes to a format: packed or not, under any name."""

import gzip
import io
import zipfile
from io import BytesIO

import pytest
from camt_files import Camt

from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.model import content_id
from o2c.sources.bank.recognise import recognise
from o2c.sources.bank.unpack import format_of, unpacked

PLAIN = Camt().xml()


def _zipped(content: bytes, name: str = "statement.xml", folder: bool = False) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        if folder:
            archive.mkdir("folder")
        archive.writestr(name, content)
    return target.getvalue()


@pytest.mark.parametrize(
    "delivered",
    [PLAIN, gzip.compress(PLAIN), _zipped(PLAIN), _zipped(PLAIN, "folder/a", folder=True)],
    ids=["plain", "gz", "zip", "zip with a folder"],
)
def test_a_file_has_one_identity_however_it_is_packed(delivered: bytes) -> None:
    with unpacked(BytesIO(delivered), "x") as found:
        assert (found.file_id, found.size) == (content_id(PLAIN), len(PLAIN))
        assert format_of(found) == "camt"
        assert found.stream.read() == PLAIN


def test_a_file_over_the_cap_is_refused_plain_and_packed() -> None:
    for delivered in (PLAIN, gzip.compress(PLAIN), _zipped(PLAIN)):
        with unpacked(BytesIO(delivered), "x", max_bytes=len(PLAIN)) as found:
            assert found.size == len(PLAIN)
        with pytest.raises(RejectedFile), unpacked(BytesIO(delivered), "x", max_bytes=len(PLAIN) - 1):
            pass


def test_a_megabyte_of_blanks_may_be_packed_as_tightly_as_it_can() -> None:
    for size, is_fine in ((1 << 20, True), (3 << 20, False)):
        delivered = gzip.compress(b" " * size)
        if is_fine:
            with unpacked(BytesIO(delivered), "x") as found:
                assert found.size == size
        else:
            with pytest.raises(RejectedFile, match="200 times"), unpacked(BytesIO(delivered), "x"):
                pass


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (":20:REF\r\n:25:1234\r\n:28C:1/1\r\n:60F:C240101EUR1,\r\n", "mt940"),
        ("{1:F01BANKDEFFAXXX0000000000}{2:I940X}{4:\r\n:20:REF\r\n:25:1\r\n", "mt940"),
        ("\r\n:20:REF\r\n:25:1234\r\n", "mt940"),
        (":940:\r\n:20:940S240307\r\n:25:1234\r\n", "mt940"),
        ("\x01{1:F01BANKDEFFAXXX0000000000}{2:I940X}{4:\r\n:20:REF\r\n", "mt940"),
        ("ABNANL2A\r\n940\r\nABNANL2A\r\n:20:REF\r\n:25:1234\r\n:28C:1\r\n", "mt940"),
        ("01,BANK,US,240307,0800,1,80,1,2/\n02,", "bai2"),
        ("ISA*00*          *00*", "x12"),
        ("\ufeffISA|00|", "x12"),
        ("ST*823*0001~\nN1*PR*BANK~", "x12"),
        ("UNA:+.? '\r\nUNB+UNOC:3+A+B'", "edifact"),
        ("UNB+UNOC:3+A+B'", "edifact"),
        ("101 03130001202313801041908161055A094101Federal Reserve", "ach"),
        ("OFXHEADER:100\nDATA:OFXSGML\n", "ofx"),
        ("OFXHEADER:100DATA:OFXSGML", "ofx"),
        ('<?xml version="1.0"?>\n<?OFX OFXHEADER="200"?><OFX>', "ofx"),
        ("   <OFX><SIGNONMSGSRSV1>", "ofx"),
        ("Date,Amount,Text\n2024-03-07,1.00,a\n", "csv"),
        ('"Date";"Text"\n2024-03-07;"a;b;c"\n', "csv"),
    ],
)
def test_a_format_is_known_by_its_first_bytes(text: str, form: str) -> None:
    assert recognise(text.encode(), "any.name") == form


def test_camt_is_known_in_utf_16_and_behind_blanks_and_comments() -> None:
    for content in (
        PLAIN.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        b"\xef\xbb\xbf" + PLAIN,
        b"\n\n" + PLAIN.split(b"?>", 1)[1],
        b"<!-- from the bank -->" + PLAIN.split(b"?>", 1)[1],
    ):
        assert recognise(content, "x") == "camt"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.03">', "payment order"),
        (b"!Account\nNCash\n", "QIF"),
        (b"%PDF-1.4", "PDF"),
        (b'{"a": 1}', "JSON"),
        (b"Dear Sirs,\n\nplease find\n", "no format we read"),
        (b"\x00\x01\x02" * 50, "binary"),
    ],
)
def test_what_we_do_not_read_is_named(content: bytes, said: str) -> None:
    with pytest.raises(RejectedFile, match=said):
        recognise(content, "x")


def test_recognition_takes_linear_time_on_a_long_line() -> None:
    for content in (b"1" * 65_536, b"1" * 30 + b"\n" + b"2" * 65_000, b"<" * 65_536, b"a\n" * 32_000):
        with pytest.raises(RejectedFile):
            recognise(content, "x")


def test_a_refusal_is_one_short_printable_line() -> None:
    refused = RejectedFile("a\x1b[2Jb.xml", "line\n1", "x" * 5000, "ask\r\nagain")
    text = str(refused)
    assert text.isprintable()
    assert len(text) < 400
    assert text.startswith("a?[2Jb.xml: line?1: xxx")
    assert (refused.reason[-1], refused.advice) == ("…", "ask??again")
