"""A batch is in its folder whole, once, or not at all."""

import dataclasses
from html.parser import HTMLParser

import pytest
from hostile import HOSTILE
from letter_builders import AS_OF, BATCH, letter, letter_id, line, render

from o2c.delivery.folder import OutboxError, Written, write_batch

LETTERS = render(
    letter("C-1"), letter("C-2", stage="final_notice", level=3), letter("C-3", country_code="US")
)
STATES = {
    LETTERS[0].letter_id: "sent",
    LETTERS[1].letter_id: "approval_pending",
    LETTERS[2].letter_id: "preview",
}


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Page(HTMLParser):
    """Tags with attributes that could do something, links, and words of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.links, self.words, self.frames = [], [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        self.links += [given[name] for name in ("href", "src") if name in given]
        self.frames += [given["srcdoc"]] if "srcdoc" in given else []
        assert not [name for name in given if name.startswith("on")]

    def handle_data(self, data):
        self.words.append(data)


@pytest.mark.parametrize("durable", [True, False])
def test_each_letter_is_its_exact_bytes_beside_an_index(tmp_path, durable):
    written = write_batch(tmp_path / "outbox", BATCH, LETTERS, AS_OF, STATES, durable=durable)
    place = tmp_path / "outbox" / BATCH
    assert written == [Written(item.letter_id, place / f"{item.letter_id}.eml", True) for item in LETTERS]
    assert {path.name for path in place.iterdir()} == {
        "index.html",
        "page-0001.html",
        *(f"{item.letter_id}.eml" for item in LETTERS),
    }
    assert [(place / f"{item.letter_id}.eml").read_bytes() for item in LETTERS] == [
        item.eml for item in LETTERS
    ]
    assert [path.name for path in (tmp_path / "outbox").iterdir()] == [BATCH]


def test_doing_it_again_changes_nothing(tmp_path):
    write_batch(tmp_path, BATCH, LETTERS, AS_OF, STATES)
    before, times = files(tmp_path), {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.eml")}
    again = write_batch(tmp_path, BATCH, LETTERS, AS_OF, STATES)
    assert [item.is_new for item in again] == [False] * 3
    assert files(tmp_path) == before
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.eml")} == times


def test_the_rest_of_a_batch_joins_what_is_there_and_the_index_names_both(tmp_path):
    write_batch(tmp_path, BATCH, LETTERS[:1], AS_OF, STATES)
    written = write_batch(tmp_path, BATCH, LETTERS[1:], AS_OF, STATES)
    assert [item.is_new for item in written] == [True, True]
    links = Page((tmp_path / BATCH / "index.html").read_text()).links
    assert sorted({link for link in links if link.endswith(".eml")}) == sorted(
        f"{item.letter_id}.eml" for item in LETTERS
    )


def test_other_bytes_under_a_letter_that_is_there_are_refused_and_nothing_of_the_batch_is_written(tmp_path):
    write_batch(tmp_path, BATCH, LETTERS[:1], AS_OF, STATES)
    before = files(tmp_path)
    changed = dataclasses.replace(LETTERS[0], eml=LETTERS[0].eml + b"\r\n")
    with pytest.raises(OutboxError, match=rf"{LETTERS[0].letter_id}: another message with this id"):
        write_batch(tmp_path, BATCH, [changed, *LETTERS[1:]], AS_OF, STATES)
    assert files(tmp_path) == before


def test_a_letter_that_cannot_be_rendered_on_the_way_leaves_no_trace(tmp_path):
    def rendering():
        yield from LETTERS[:2]
        raise ValueError("customer C-3 is poison")

    with pytest.raises(ValueError, match="poison"):
        write_batch(tmp_path, BATCH, rendering(), AS_OF, STATES)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_behind_is_cleared(tmp_path):
    left = tmp_path / f".{BATCH}.partial"
    left.mkdir()
    (left / "half.eml").write_bytes(b"half")
    write_batch(tmp_path, BATCH, LETTERS, AS_OF, STATES)
    assert "half.eml" not in {path.name for path in tmp_path.rglob("*")}


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ([LETTERS[0], LETTERS[0]], "comes twice"),
        ([dataclasses.replace(LETTERS[0], letter_id=letter_id("C-9"))], "has no state"),
    ],
)
def test_a_letter_twice_or_without_a_state_is_refused(tmp_path, messages, why):
    with pytest.raises(OutboxError, match=why):
        write_batch(tmp_path, BATCH, messages, AS_OF, STATES)
    assert list(tmp_path.iterdir()) == []


def test_a_batch_folder_that_is_a_link_elsewhere_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "outbox").mkdir()
    (tmp_path / "outbox" / BATCH).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutboxError, match="link"):
        write_batch(tmp_path / "outbox", BATCH, LETTERS, AS_OF, STATES)
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        name
        for name in HOSTILE
        if name not in {"007", "1E5", "2026-03-12", "TRUE", "None", "nan", "CON", "_x0041_", "_x000D_"}
    ],
)
def test_hostile_names_are_no_names_of_files(tmp_path, text):
    outbox = tmp_path / "outbox"
    with pytest.raises(OutboxError, match="cannot be the name"):
        write_batch(outbox, text, LETTERS, AS_OF, STATES)
    renamed = dataclasses.replace(LETTERS[0], letter_id=text)
    with pytest.raises(OutboxError, match="cannot be the name"):
        write_batch(outbox, BATCH, [renamed], AS_OF, {text: "sent"})
    assert list(tmp_path.rglob("*.eml")) == []


def test_hostile_text_is_shown_in_the_index_and_does_nothing(tmp_path):
    messages = render(
        *(
            letter(f"C-{number:03}", [line(text)], name=text, contact_name=text)
            for number, text in enumerate(HOSTILE)
        )
    )
    write_batch(tmp_path, BATCH, messages, AS_OF, {item.letter_id: "preview" for item in messages})
    index = Page((tmp_path / BATCH / "index.html").read_text())
    pages = [Page(path.read_text()) for path in sorted((tmp_path / BATCH).glob("page-*.html"))]

    own = {"html", "head", "meta", "title", "style", "body"}
    table = {"table", "caption", "thead", "tbody", "tr", "th", "td"}
    assert set(index.tags) == own | table | {"main", "h1", "p", "span", "a", "br", "small", "iframe"}
    assert {tag for page in pages for tag in page.tags} == own | {
        "article",
        "header",
        "h2",
        "p",
        "a",
        "iframe",
    }
    assert {link.partition("#")[0] for page in (index, *pages) for link in page.links} == {
        *(f"{item.letter_id}.eml" for item in messages),
        *(path.name for path in (tmp_path / BATCH).glob("page-*.html")),
    }
    assert [html for page in pages for html in page.frames] == [item.html for item in messages]
    for page in (tmp_path / BATCH).glob("*.html"):
        assert "default-src 'none'" in page.read_text()
        assert "http://" not in "".join(Page(page.read_text()).links)


def test_pages_of_an_earlier_longer_index_are_taken_away(tmp_path):
    many = render(*(letter(f"C-{number:03}") for number in range(26)))
    states = {item.letter_id: "preview" for item in many}
    write_batch(tmp_path, BATCH, many, AS_OF, states)
    assert sorted(path.name for path in (tmp_path / BATCH).glob("page-*")) == [
        "page-0001.html",
        "page-0002.html",
    ]
    write_batch(tmp_path, BATCH, many[:25], AS_OF, states)
    assert [path.name for path in (tmp_path / BATCH).glob("page-*")] == ["page-0001.html"]


def test_a_batch_without_letters_is_an_index_that_says_so(tmp_path):
    assert write_batch(tmp_path, BATCH, [], AS_OF, {}) == []
    page = Page((tmp_path / BATCH / "index.html").read_text())
    assert "0 letters" in "".join(page.words)
    assert page.links == []
