"""Text of formats that do not say their encoding."""

from o2c.sources.bank.errors import RejectedFile
from o2c.sources.bank.profiles import BankProfile

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def decoded(content: bytes, name: str, profile: BankProfile) -> str:
    """The text of the file: by its byte order mark, else the first of the profile's encodings that fits.

    Raises:
        RejectedFile: no encoding fits, or there are zero bytes in the text.
    """
    encodings = tuple(encoding for mark, encoding in _MARKS if content.startswith(mark)) or profile.encodings
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            line = text.count("\n", 0, text.index("\x00")) + 1
            raise RejectedFile(name, f"line {line}", "a zero byte in the text", "check how it was sent")
        return text
    raise RejectedFile(name, "byte 0", f"the text is in none of {', '.join(encodings)}", "check the encoding")
