"""PDFs of letters that left lie in the print folder, once, exactly as attached, each batch whole."""

from hashlib import sha256
from threading import Event, Thread

import pytest
from letter_builders import AS_OF, BATCH, SENDER, TEMPLATES, frames_of, letter

from o2c.delivery.carrier import OutgoingLetter
from o2c.delivery.print_folder import PrintFolderError, printed, write_print_folder
from o2c.durable import sync
from o2c.letters import render_letters


def outgoing(message, **changes):
    row = {
        "letter_id": message.letter_id,
        "batch_id": message.batch_id,
        "level": message.level,
        "channel": message.channel,
        "address": message.to_address,
        "content": message.eml,
        "message_hash": message.message_hash,
    }
    return OutgoingLetter(**(row | changes))


def letters(*names, stage="final_notice", **changes):
    found = frames_of(*(letter(name, stage=stage, level=3, **changes) for name in names))
    return render_letters(*found, SENDER, TEMPLATES, AS_OF, BATCH, pdf_stages=["final_notice"])


def listed(folder):
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return sorted(str(path) for path in files if path.parts[0] != ".printed")


def test_each_pdf_lies_under_its_batch_and_letter(tmp_path):
    messages = letters("C-1", "C-2")
    written = write_print_folder(tmp_path, map(outgoing, messages))
    expected = sorted(tmp_path / BATCH / f"{one.letter_id}.pdf" for one in messages)
    assert written == expected
    assert [path.read_bytes() for path in expected] == [
        one.pdf for one in sorted(messages, key=lambda one: one.letter_id)
    ]
    assert listed(tmp_path) == [f"{BATCH}/{path.name}" for path in expected]


def test_letters_without_a_pdf_are_passed_over(tmp_path):
    (mail,) = letters("C-1", stage="first_contact")
    text = outgoing(mail, channel="sms", content=b"Northwind: 1.00 EUR")
    assert write_print_folder(tmp_path / "print", [outgoing(mail), text]) == []
    assert not (tmp_path / "print").exists()


def test_doing_it_again_changes_nothing_and_what_is_missing_is_added(tmp_path):
    messages = letters("C-1", "C-2", "C-3")
    first = write_print_folder(tmp_path, [outgoing(messages[0])])
    before = first[0].stat()
    rest = write_print_folder(tmp_path, map(outgoing, messages))
    assert len(rest) == 2
    assert write_print_folder(tmp_path, map(outgoing, messages)) == []
    after = first[0].stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert len(listed(tmp_path)) == 3


def test_what_was_printed_and_taken_away_is_not_printed_again(tmp_path):
    first, second = letters("C-1", "C-2")
    (path,) = write_print_folder(tmp_path, [outgoing(first)])
    path.unlink()
    (other,) = write_print_folder(tmp_path, map(outgoing, (first, second)))
    assert other.stem == second.letter_id
    other.unlink()
    other.parent.rmdir()
    assert write_print_folder(tmp_path, map(outgoing, (first, second))) == []
    assert listed(tmp_path) == []
    assert (tmp_path / ".printed" / BATCH).read_text().split() == sorted([first.letter_id, second.letter_id])


def test_two_at_once_print_each_letter_once(tmp_path, monkeypatch):
    """What one takes for the leftovers of a killed run, or forgets in the list, is the other's."""
    first, second = letters("C-1", "C-2")
    begun, others = Event(), []

    def sync_and_let_the_other_begin(path):
        if not begun.is_set():
            begun.set()
            other.start()
            other.join(0.3)
        sync(path)

    other = Thread(target=lambda: others.extend(write_print_folder(tmp_path, [outgoing(second)])))
    monkeypatch.setattr("o2c.delivery.print_folder.sync", sync_and_let_the_other_begin)
    (path,) = write_print_folder(tmp_path, [outgoing(first)])
    other.join()
    assert [path.stem, *(one.stem for one in others)] == [first.letter_id, second.letter_id]
    assert printed(tmp_path, BATCH) == {first.letter_id, second.letter_id}


def test_a_half_written_file_of_a_killed_run_is_no_letter(tmp_path):
    (message,) = letters("C-1")
    place = tmp_path / BATCH
    place.mkdir()
    (place / f".{message.letter_id}.pdf.17.partial").write_bytes(b"%PDF")
    (path,) = write_print_folder(tmp_path, [outgoing(message)])
    assert sha256(path.read_bytes()).hexdigest() == sha256(message.pdf).hexdigest()
    assert sorted(one.name for one in place.glob("*.pdf")) == [path.name]
    assert listed(tmp_path) == [f"{BATCH}/{path.name}"]


def test_another_pdf_under_the_same_id_is_refused_and_nothing_is_written(tmp_path):
    one, two = letters("C-1", "C-2")
    (other,) = letters("C-1", name="Somebody else")
    write_print_folder(tmp_path, [outgoing(one)])
    with pytest.raises(PrintFolderError, match=one.letter_id):
        write_print_folder(tmp_path, [outgoing(other), outgoing(two)])
    assert listed(tmp_path) == [f"{BATCH}/{one.letter_id}.pdf"]


@pytest.mark.parametrize(
    "name", ["../x", "/etc/x", "", ".", "..", "a/b", "a\x00b", ".hidden", "ä", "a\nb", "x" * 200]
)
def test_no_name_leads_out_of_the_folder(tmp_path, name):
    (message,) = letters("C-1")
    for changes in ({"letter_id": name}, {"batch_id": name}):
        with pytest.raises(PrintFolderError):
            write_print_folder(tmp_path / "print", [outgoing(message, **changes)])
    assert listed(tmp_path) == []


def test_a_link_in_place_of_the_batch_is_refused(tmp_path):
    (message,) = letters("C-1")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / BATCH).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PrintFolderError, match="link"):
        write_print_folder(tmp_path, [outgoing(message)])
    assert listed(tmp_path) == []
