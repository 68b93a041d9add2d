"""Documents for the tests, made by real writers when a test wants them. Each maker returns the text that it wrote."""

from __future__ import annotations

import csv
import json
import random
import re
import shutil
import subprocess
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import docx
from ebooklib import epub
from PIL import Image
from reportlab.lib import pagesizes
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Frame,
    ListFlowable,
    ListItem,
    PageBreak,
    PageTemplate,
    Paragraph,
    SimpleDocTemplate,
    Table,
)

WORDS = re.findall(
    r"\w+",
    """harbour lantern meadow orchard compass granite violin thunder saddle candle river bridge window garden market kettle
    feather copper winter summer island captain letter journey mountain silver forest village engine morning remember
    understand discover consider establish comfortable extraordinary observation preparation neighbourhood temperature
    independent conversation administration responsible architecture communication determination environment she he they
    we carried followed watched opened closed reached crossed found lost kept gave took the a of to in with and under over
    between before after because although slowly quietly always never often""",
)
RUSSIAN = "Серый тюлень живёт у берегов Балтийского моря и питается рыбой. Учёные считают его каждую весну на льду."
ARABIC = "تعيش الفقمة الرمادية على سواحل بحر البلطيق وتتغذى على الأسماك. ويحصيها العلماء كل ربيع فوق الجليد."
CHINESE = "灰海豹生活在波罗的海沿岸以鱼类为食科学家每年春天在冰上统计它们的数量"
HEADINGS = ("The harbour", "The meadow", "The mountain")
ROWS = [["Measure", "Female", "Male"], ["Weight", "150 kilograms", "300 kilograms"], ["Length", "2 metres", "3 metres"]]


@dataclass
class Written:
    """A file and what stands in it."""

    path: Path
    text: list[str] = field(default_factory=list[str])

    @property
    def all(self) -> str:
        return "\n".join(self.text)


def sentences(seed: int, count: int) -> str:
    """Running text, always the same for a seed."""
    source = random.Random(seed)
    made: list[str] = []
    for _ in range(count):
        words = source.choices(WORDS, k=source.randint(6, 18))
        made.append(" ".join(words).capitalize() + ".")
    return " ".join(made)


# ---- PDF


def pdf_report(path: Path, pages: int = 4) -> Written:
    """Headings, paragraphs, a list and a table; a running head and page numbers; each page has a word of its own."""
    styles = getSampleStyleSheet()
    written = Written(path)

    def add(text: str, style: str = "BodyText") -> Paragraph:
        written.text.append(text)
        return Paragraph(text, styles[style])

    story: list[object] = []
    for page in range(1, pages + 1):
        story.append(add(f"Part {page}: {HEADINGS[page % 3]}", "Heading1"))
        for paragraph in range(4):
            story.append(add(f"{sentences(10 * page + paragraph, 6)} Marker{page}x{paragraph}."))
        story.append(add(f"Details of part {page}", "Heading2"))
        items = [sentences(100 * page + item, 1) for item in range(3)]
        written.text += items
        bullets = [ListItem(Paragraph(item, styles["BodyText"])) for item in items]
        story.append(ListFlowable(bullets, bulletType="bullet"))
        written.text += [" ".join(row) for row in ROWS]
        story += [Table(ROWS, colWidths=[120, 120, 120]), PageBreak()]

    def head(canvas: Canvas, document: object) -> None:
        canvas.setFont("Helvetica", 8)
        canvas.drawString(72, 810, "Annual report of the seal station")
        canvas.drawRightString(520, 30, f"Page {canvas.getPageNumber()} of {pages}")

    SimpleDocTemplate(str(path), pagesize=pagesizes.A4, title="Seals in numbers").build(
        story, onFirstPage=head, onLaterPages=head
    )
    return written


def pdf_columns(path: Path) -> Written:
    """Two justified columns of narrow type with words divided at the ends of lines."""
    style = ParagraphStyle("column", fontName="Times-Roman", fontSize=9, leading=11, alignment=4, hyphenationLang="en_GB")
    style.embeddedHyphenation = 1
    style.firstLineIndent = 12
    texts = [sentences(seed, 7) for seed in range(24)]
    document = BaseDocTemplate(str(path), pagesize=pagesizes.A4)
    frames = [Frame(x, 60, 220, 720, id=f"column{x}") for x in (60, 310)]
    document.addPageTemplates(PageTemplate(frames=frames))
    document.build([Paragraph(text, style) for text in texts])
    return Written(path, texts)


def pdf_columns_by_turns(path: Path) -> Written:
    """Two columns whose lines were written by turns, as some programs do: left, right, left, right."""
    left, right = sentences(1, 24).split(), sentences(2, 24).split()
    canvas = Canvas(str(path), pagesize=pagesizes.A4)
    canvas.setFont("Times-Roman", 10)
    lines = min(len(left), len(right)) // 5
    for line in range(lines):
        for x, words in ((60, left), (315, right)):
            canvas.drawString(x, 780 - 12 * line, " ".join(words[5 * line : 5 * line + 5]))
    canvas.save()
    return Written(path, [" ".join(left[: 5 * lines]), " ".join(right[: 5 * lines])])


def pdf_hyphens(path: Path) -> Written:
    canvas = Canvas(str(path))
    for line, text in enumerate(("The sea-level rose. The obser-", "vation of the sea-", "level went on in Baden-", "Baden.")):
        canvas.drawString(72, 700 - 14 * line, text)
    canvas.save()
    return Written(path, ["The sea-level rose. The observation of the sea-level went on in Baden-Baden."])


def pdf_outline(path: Path) -> Written:
    """Headings of the same size as the text, which only the outline tells."""
    canvas = Canvas(str(path))
    canvas.setTitle("untitled")
    written = Written(path)
    for number, title in enumerate(HEADINGS):
        canvas.bookmarkPage(title)
        canvas.addOutlineEntry(title, title, level=0 if number == 0 else 1)
        canvas.setFont("Helvetica-Bold", 11)
        canvas.drawString(72, 700, title)
        canvas.setFont("Helvetica", 11)
        canvas.drawString(72, 686, body := sentences(number, 1)[:70])
        written.text += [title, body]
        canvas.showPage()
    canvas.save()
    return written


def pdf_contents(path: Path) -> Written:
    """A table of contents in large letters with rows of dots, then a short chapter on each of three numbered pages."""
    canvas = Canvas(str(path))
    written = Written(path)
    canvas.setFont("Helvetica", 16)
    for line, title in enumerate(HEADINGS):
        canvas.drawString(72, 700 - 40 * line, f"{title} {'. ' * 20} {line + 1}")
        written.text.append(title)
    canvas.showPage()
    for number, title in enumerate(HEADINGS, 1):
        body = sentences(number, 12).split()
        written.text += [title, " ".join(body)]
        canvas.setFont("Helvetica", 16)
        canvas.drawString(72, 700, title)
        canvas.setFont("Helvetica", 11)
        for start in range(0, len(body), 8):
            canvas.drawString(72, 670 - 14 * (start / 8), " ".join(body[start : start + 8]))
        canvas.drawCentredString(300, 40, str(number))
        canvas.showPage()
    canvas.save()
    return written


def pdf_chinese(path: Path) -> Written:
    """Chinese by character codes alone: no font in the file, so it takes a table of pdf.js's to read it."""
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    canvas = Canvas(str(path))
    canvas.setFont("STSong-Light", 12)
    for start in range(0, len(CHINESE), 12):
        canvas.drawString(72, 700 - 1.2 * start, CHINESE[start : start + 12])
    canvas.save()
    return Written(path, [CHINESE])


def pdf_locked(path: Path) -> Written:
    canvas = Canvas(str(path), encrypt="secret")
    canvas.drawString(72, 700, "Nobody sees this.")
    canvas.save()
    return Written(path)


def pdf_scanned(path: Path) -> Written:
    canvas = Canvas(str(path))
    for shade in (100, 200):
        canvas.drawInlineImage(Image.new("L", (200, 300), shade), 72, 300)
        canvas.showPage()
    canvas.save()
    return Written(path)


def pdf_partly_scanned(path: Path) -> Written:
    canvas = Canvas(str(path))
    for page in range(1, 6):
        if page in (2, 3, 5):
            canvas.drawInlineImage(Image.new("L", (200, 300), 90), 72, 300)
        else:
            canvas.drawString(72, 700, f"Text of page {page}.")
        canvas.showPage()
    canvas.save()
    return Written(path, ["Text of page 1.", "Text of page 4."])


def pdf_blank(path: Path) -> Written:
    canvas = Canvas(str(path))
    canvas.showPage()
    canvas.save()
    return Written(path)


def pdf_cut_off(path: Path) -> Written:
    """The first 600 bytes of a PDF."""
    pdf_report(path)
    path.write_bytes(path.read_bytes()[:600])
    return Written(path)


# ---- other formats


def word(path: Path) -> Written:
    document = docx.Document()
    document.core_properties.title = "Seals in Word"
    written = Written(path)

    def said(text: str) -> str:
        written.text.append(text)
        return text

    document.add_heading(said("Seals of the north"), 0)
    for number, title in enumerate(HEADINGS):
        document.add_heading(said(title), 1)
        for paragraph in range(4):
            document.add_paragraph(said(sentences(1000 * number + paragraph, 5)))
        document.add_heading(said(f"Details {number}"), 2)
        for item in range(3):
            document.add_paragraph(said(sentences(2000 + 10 * number + item, 1)), style="List Bullet")
    table = document.add_table(rows=0, cols=3)
    for row in ROWS:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = said(text)
    for text in (RUSSIAN, ARABIC):
        document.add_paragraph(said(text))
    document.save(str(path))
    return written


def word_empty(path: Path) -> Written:
    docx.Document().save(str(path))
    return Written(path)


def word_cut_off(path: Path) -> Written:
    word(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return Written(path)


def book(path: Path, chapters: int = 5) -> Written:
    """Chapters in another order than their names; the last has no heading but a title in the table of contents."""
    made, written = epub.EpubBook(), Written(path, [])
    made.set_title("The Book of Seals")
    made.set_language("en")
    items = []
    for number in range(chapters):
        title = f"Chapter of number {number}"
        item = epub.EpubHtml(title=title, file_name=f"text/part{chapters - number}.xhtml")
        paragraphs = [sentences(50 * number + paragraph, 5) for paragraph in range(6)]
        written.text += [title, *paragraphs]
        heading = "" if number == chapters - 1 else f"<h2>{title}</h2>"
        item.content = heading + '<a id="here"/>' + "".join(f"<p>{text} &#8212; <i>{number}</i></p>" for text in paragraphs)
        made.add_item(item)
        items.append(item)
    made.toc = items
    made.spine = ["nav", *items]
    made.add_item(epub.EpubNcx())
    made.add_item(epub.EpubNav())
    epub.write_epub(str(path), made)
    return written


def book_locked(path: Path) -> Written:
    """A book with the mark of a publisher's lock."""
    book(path)
    method = '<enc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/>'
    namespaces = 'xmlns="urn:oasis:names:tc:opendocument:xmlns:container" xmlns:enc="http://www.w3.org/2001/04/xmlenc#"'
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(
            "META-INF/encryption.xml", f"<encryption {namespaces}><enc:EncryptedData>{method}</enc:EncryptedData></encryption>"
        )
    return Written(path)


def book_with_scrambled_fonts(path: Path) -> Written:
    written = book(path)
    method = '<EncryptionMethod Algorithm="http://www.idpf.org/2008/embedding"/>'
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("META-INF/encryption.xml", f"<encryption><EncryptedData>{method}</EncryptedData></encryption>")
    return written


def web_page(path: Path) -> Written:
    written = Written(path, [HEADINGS[0], *(sentences(seed, 6) for seed in range(6)), *(" ".join(row) for row in ROWS)])
    paragraphs = "".join(f"<p>{text}" for text in written.text[1:7])  # left open, as HTML allows
    rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in ROWS[1:])
    head = "".join(f"<th>{cell}</th>" for cell in ROWS[0])
    path.write_text(
        f"""<!doctype html><title>Seals on a page</title><nav><a href=/>Menuentry</a></nav>
        <script>window.hurt = true; document.write("Scripttext")</script><style>p {{ color: red }}</style>
        <p style="display: none">Hiddentext</p><img src=https://tracker.example/x.png onerror="window.hurt = true" alt="A seal">
        <article><h1>{HEADINGS[0]}</h1>{paragraphs}<table><thead><tr>{head}</tr></thead>{rows}</table>
        <pre><code class="language-python">def seal():\n    return 1</code></pre>
        <ul><li>One<ul><li>Inner</ul><li>Two</ul></article><footer>Footertext</footer>"""
    )
    written.text += ["A seal", "def seal return 1", "One Inner Two"]
    return written


def markdown(path: Path) -> Written:
    body = [f"# {HEADINGS[0]}", sentences(1, 5), f"{HEADINGS[1]}\n---------", "- one\n- two\n  - inner", sentences(2, 5)]
    body += ["| A | B |\n| - | - |\n| first | second |", "```python\ndef seal():\n\n    return 1\n```", f"> {sentences(3, 2)}"]
    path.write_text("---\ntitle: Seals in Markdown\n---\n" + "\n\n".join(body) + "\n\n<div><p>Raw <b>markup</b></p></div>\n")
    return Written(path, [*body, "Raw markup"])


def plain(path: Path) -> Written:
    text = ["CHAPTER I", sentences(1, 6), "# not a heading", RUSSIAN, ARABIC, "CHAPTER II", sentences(2, 6)]
    path.write_text("\n\n".join(text), encoding="utf-8")
    return Written(path, text)


def plain_utf16(path: Path) -> Written:
    path.write_text(RUSSIAN, encoding="utf-16")
    return Written(path, [RUSSIAN])


def plain_old_encoding(path: Path) -> Written:
    text = "Größe und Gewicht der Robbe – müde Tiere"
    path.write_bytes(text.encode("cp1252"))
    return Written(path, [text])


def rows(path: Path, count: int = 134) -> Written:
    table = [["name", "age", "remark"], *([f"Seal{number}", str(number), f'old, "grey" {number}'] for number in range(count))]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=";").writerows(table)
    return Written(path, [" ".join(row) for row in table])


def wide_rows(path: Path) -> Written:
    table = [["title", "abstract"], *([f"Paper {number}", sentences(number, 5)] for number in range(30))]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(table)
    return Written(path, [" ".join(row) for row in table])


def json_data(path: Path) -> Written:
    value = {
        "station": {"name": "Northport", "seals": [{"name": "Anna", "age": 3}, {"name": "Otto", "age": 5}]},
        "remarks": {f"remark{number}": sentences(number, 3) for number in range(30)},
        "tags": ["grey", "ringed"],
    }
    path.write_text(json.dumps(value))
    remarks = [f"{key} {text}" for key, text in value["remarks"].items()]
    return Written(path, ["station name Northport Anna 3 Otto 5 tags grey ringed", *remarks])


def json_lines(path: Path) -> Written:
    path.write_text("\n".join(json.dumps({"name": f"Seal{number}", "age": number}) for number in range(30)))
    return Written(path, [f"Seal{number} {number}" for number in range(30)])


def json_broken(path: Path) -> Written:
    path.write_text('{"name": "Anna", "age": 3')
    return Written(path, ["name Anna age 3"])


def source_code(path: Path) -> Written:
    functions = [f"def seal_{n}(age: int) -> int:\n    # {sentences(n, 1)}\n\n    return age + {n}" for n in range(40)]
    path.write_text("import math\n\n\n" + "\n\n\n".join(functions) + "\n")
    return Written(path, ["import math", *functions])


def picture(path: Path) -> Written:
    Image.new("RGB", (40, 40), "red").save(path)
    return Written(path)


def other_archive(path: Path) -> Written:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return Written(path)


def bomb(path: Path) -> Written:
    """A small archive that would unpack to 600 MB."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("word/document.xml", "w", force_zip64=True) as entry,
    ):
        for _ in range(600):
            entry.write(bytes(1 << 20))
    return Written(path)


def office_pdf(folder: Path) -> Written | None:
    """The Word file as a PDF by LibreOffice, where that is installed."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if not office:
        return None
    written = word(folder / "office.docx")
    command = [office, "--headless", "--convert-to", "pdf", "--outdir", str(folder), str(written.path)]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    return Written(folder / "office.pdf", written.text)
