"""Four books of frequently asked questions from Debian's packages, each answer known by where its author put it.

| package       | text                 | licence                                  |
| ------------- | -------------------- | ---------------------------------------- |
| perl-doc      | perlfaq1 to perlfaq9 | Artistic License or GPL-1+               |
| python3.*-doc | Python's eight FAQs  | PSF License 2                            |
| r-doc-html    | R FAQ                | GPL-2+                                   |
| debian-faq    | Debian GNU/Linux FAQ | free to copy and change (see its notice) |

A heading that ends in a question mark is a question; what stands under it is its answer. The heading itself is taken out of
what is searched, and so is every table of contents and every other place that says the question word for word, so that an
answer has to be found by what it says. The texts are cut by the product's own code. Nothing of them is kept in the project:
the packages are downloaded and unpacked in the build folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser

from amplifier_browser.documents.chunks import Block, Chunk, chunks

from ...paths import BUILD
from ...steps import BuildError
from ..debian import python_documentation, unpacked

FOLDER = BUILD / "retrieval"
SHORT = 20  # characters; a question like "What is R?" is left where it stands in a sentence
FEWEST_WORDS = 8  # an answer that says no more than "see there" answers nothing


@dataclass(frozen=True)
class Question:
    """A question and the chunks, by id, that its author wrote as the answer."""

    text: str
    book: str
    answer: frozenset[str]


@dataclass(frozen=True)
class Corpus:
    """All chunks of all books, each with the book it is from, and all questions."""

    chunks: list[Chunk]
    books: list[str]
    questions: list[Question]
    packages: dict[str, str]  # name to version


def load() -> Corpus:
    """Downloads the packages unless that was done, and cuts their texts. Raises BuildError where there is no apt."""
    corpus = Corpus([], [], [], {})
    python = python_documentation()
    for book, package, paths, read in BOOKS:
        name = python if package == PYTHON else package
        folder, corpus.packages[name] = unpacked(name, FOLDER / "packages")
        files = sorted({path.resolve() for path in folder.glob(paths)})
        if not files:
            raise BuildError(f"The package {name} has no {paths}: its texts lie elsewhere now. Adapt bench/retrieval/corpus.py.")
        texts = {path.name: list(read(path.read_text(encoding="utf-8", errors="replace"))) for path in files}
        asked = {block.text for blocks in texts.values() for block in blocks if block.heading_level and block.text.endswith("?")}
        for name, blocks in texts.items():
            found, questions = _cut(name, book, _without(blocks, asked), asked)
            corpus.chunks.extend(found)
            corpus.books.extend([book] * len(found))
            corpus.questions.extend(questions)
    return corpus


def _without(blocks: list[Block], questions: set[str]) -> list[Block]:
    """The blocks without the places where a text refers to a question by its words."""
    said = re.compile("|".join(re.escape(text) for text in sorted(questions, key=len, reverse=True) if len(text) > SHORT))
    return [block if block.heading_level else replace(block, text=said.sub("…", block.text)) for block in blocks]


def _cut(name: str, book: str, blocks: list[Block], questions: set[str]) -> tuple[list[Chunk], list[Question]]:
    """The chunks of one file without the questions, and its questions with their answers' chunks."""
    asked = {block.text: set[str]() for block in blocks if block.heading_level and block.text in questions}
    found: dict[str, Chunk] = {}
    words: dict[str, int] = dict.fromkeys(asked, 0)
    for chunk in chunks(blocks, name):
        path = chunk.heading.split(" > ")
        if chunk.text in asked:
            continue
        kept = replace(chunk, id=f"{name}#{chunk.ordinal}", heading=" > ".join(step for step in path if step not in asked))
        found[kept.id] = kept
        for question in asked.keys() & set(path):
            asked[question].add(kept.id)
            words[question] += len(chunk.text.split())
    answered = [Question(text, book, frozenset(ids)) for text, ids in asked.items() if words[text] >= FEWEST_WORDS]
    return list(found.values()), answered


def _squeezed(text: str) -> str:
    return " ".join(text.split())


# ---- POD, Perl's own format of documentation


def _pod(text: str) -> Iterator[Block]:
    """Headings, paragraphs, and code, which is what is indented."""
    joined = re.sub(r"(\n[ \t]+\S[^\n]*)\n\s*?\n(?=[ \t]+\S)", r"\1\n \f\n", text)  # the parts of one piece of code
    for paragraph in re.split(r"\n[ \t]*\n", joined):
        paragraph = paragraph.strip("\n").replace(" \f", "")
        command = re.match(r"=(\w+)\s*(.*)", paragraph, re.DOTALL)
        if command and command[1] in ("head1", "head2", "head3"):
            yield Block(_plain_pod(_squeezed(command[2])), heading_level=int(command[1][-1]))
        elif command and command[1] == "item":
            yield Block(f"- {_plain_pod(_squeezed(command[2]))}")
        elif paragraph[:1] in (" ", "\t"):
            yield Block(f"```\n{paragraph}\n```")
        elif paragraph and not command:
            yield Block(_plain_pod(_squeezed(paragraph)))


def _plain_pod(text: str) -> str:
    """Without POD's codes, as C<print> and L<text|target>."""
    text = re.sub(r"[A-Z]<<+\s+(.*?)\s+>>+", r"\1", text)
    text = re.sub(r"[XZ]<[^<>]*>", "", text)
    while (plain := re.sub(r"[BCFIS]<([^<>]*)>|L<(?:[^<>|]*\|)?([^<>]*)>", _pod_code, text)) != text:
        text = plain
    return text.replace("E<lt>", "<").replace("E<gt>", ">").replace("E<sol>", "/").replace("E<verbar>", "|")


def _pod_code(match: re.Match[str]) -> str:
    return match[1] if match[1] is not None else match[2].replace('"', "")


# ---- HTML


class _Reader(HTMLParser):
    """Collects blocks; leaves out contents and navigation, which hold the questions again."""

    VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])
    SKIPPED_TAGS = frozenset(["head", "script", "style", "nav"])
    SKIPPED = frozenset(
        [
            "header",
            "Contents_element",
            "toc",
            "navheader",
            "navfooter",
            "sphinxsidebar",
            "related",
            "footer",
            "section-toc",
            "menu",
            "headerlink",
        ]
    )
    HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
    BREAKS = frozenset(["p", "pre", "li", "dt", "dd", "tr", "div", "section", "table", "ul", "ol", "dl", "blockquote", "body"])

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[Block] = []
        self._text = ""
        self._kind = ""
        self._skipped = ""
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.VOID:
            return
        classes = set((dict(attrs).get("class") or "").split())
        if self._skipped:
            self._depth += tag == self._skipped
        elif tag in self.SKIPPED_TAGS or classes & self.SKIPPED:
            self._flush()
            self._skipped, self._depth = tag, 1
        elif tag in self.HEADINGS or tag in self.BREAKS:
            self._flush()
            self._kind = tag

    def handle_endtag(self, tag: str) -> None:
        if self._skipped:
            self._depth -= tag == self._skipped
            if not self._depth:
                self._skipped = ""
        elif tag in self.HEADINGS or tag in self.BREAKS:
            self._flush()

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self._text += data

    def _flush(self) -> None:
        text, kind, self._text, self._kind = self._text, self._kind, "", ""
        if not text.strip():
            return
        if kind in self.HEADINGS:
            title = re.sub(r"^(?:Chapter )?\d[\d.]*\s+", "", _squeezed(text))
            self.blocks.append(Block(title, heading_level=int(kind[1])))
        elif kind == "pre":
            self.blocks.append(Block(f"```\n{text.strip(chr(10))}\n```"))
        else:
            self.blocks.append(Block(f"{'- ' if kind == 'li' else ''}{_squeezed(text)}"))


def _html(text: str) -> Iterable[Block]:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.blocks


PYTHON = "python3-doc"
BOOKS = [
    ("Perl", "perl-doc", "usr/share/perl/*/pod/perlfaq[1-9].pod", _pod),
    ("Python", PYTHON, "usr/share/doc/python3.*/html/faq/[!i]*.html", _html),
    ("R", "r-doc-html", "usr/share/R/doc/manual/R-FAQ.html", _html),
    ("Debian", "debian-faq", "usr/share/doc/debian/FAQ/[!i]*.en.html", _html),
]
