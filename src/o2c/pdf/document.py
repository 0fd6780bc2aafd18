"""A PDF of a few pages of text and filled boxes, by reportlab. The same calls give the same bytes.

There is no date of today, no random id and no link in the file, and no metadata but the title.
"""

from dataclasses import dataclass, field
from io import BytesIO

from reportlab.pdfgen.canvas import Canvas

from o2c.pdf.fonts import REGULAR, registered, runs

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class _Text:
    x: float
    y: float
    text: str
    font: str
    size: float
    colour: Colour


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    width: float
    height: float
    colour: Colour


@dataclass
class Document:
    """Pages of one size; places are points from the lower left corner. Texts must come from ``fonts.shown``.

    Pages are kept until ``build``: their feet say how many there are.
    """

    width: float
    height: float
    title: str
    _pages: list[list[_Text | _Box]] = field(default_factory=list)

    def add_page(self) -> int:
        """A new page; its number counts from 0."""
        self._pages.append([])
        return len(self._pages) - 1

    @property
    def page_count(self) -> int:
        return len(self._pages)

    @property
    def drawn(self) -> str:
        """What is written on all pages, a line per text, in the order of drawing."""
        return "\n".join(part.text for page in self._pages for part in page if isinstance(part, _Text))

    def text(self, page: int, x: float, y: float, text: str, font: str, size: float, colour: Colour) -> None:
        """A line of text whose base line begins at x, y."""
        if text:
            self._pages[page].append(_Text(x, y, text, font, size, colour))

    def box(self, page: int, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """A filled box; a line is a thin one."""
        self._pages[page].append(_Box(x, y, width, height, colour))

    def build(self) -> bytes:
        """The file."""
        registered(REGULAR)
        file = BytesIO()
        canvas = Canvas(
            file,
            pagesize=(self.width, self.height),
            pageCompression=1,
            invariant=1,
            initialFontName=REGULAR,
            lang="en",
        )
        canvas.setTitle(self.title)
        for set_word in (canvas.setAuthor, canvas.setSubject, canvas.setCreator, canvas.setProducer):
            set_word("")
        canvas.setDateFormatter(lambda *_: "")  # else every file says that it is of 2000-01-01
        for page in self._pages:
            colour = None
            for part in page:
                if part.colour != colour:
                    colour = part.colour
                    canvas.setFillColorRGB(*colour)
                if isinstance(part, _Box):
                    canvas.rect(part.x, part.y, part.width, part.height, stroke=0, fill=1)
                else:
                    _write(canvas, part)
            canvas.showPage()
        canvas.save()
        return file.getvalue()


def _write(canvas: Canvas, text: _Text) -> None:
    line = canvas.beginText(text.x, text.y)
    for font, piece in runs(text.text, text.font):
        registered(font)
        line.setFont(font, text.size)
        line.textOut(piece)
    canvas.drawText(line)
