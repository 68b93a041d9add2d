"""Documents in a real Chromium: what of each file is kept, what each refusal says, and that one file never harms another."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import document_files as files
import pytest
from build_tools.drive import Browser
from build_tools.environment import find_browser
from build_tools.paths import NODE_MODULES, ROOT
from document_files import Written
from selenium.webdriver.common.by import By
from watch import Watch

PAGE = Path(__file__).parent / "documents_page"
LEAST_KEPT = 0.98
SECONDS = 300
Maker = Callable[[Path], Written]


class Documents(Browser):
    """A page of the extension that parses the files picked on it."""

    def pick(self, *paths: Path) -> None:
        field = self.driver.find_element(By.CSS_SELECTOR, "input")
        self.driver.execute_script("arguments[0].value = ''", field)
        field.send_keys("\n".join(str(path) for path in paths))

    def call(self, name: str, *args: Any) -> Any:
        script = f"const done = arguments[arguments.length - 1]; window.{name}(...[...arguments].slice(0, -1)).then(done);"
        return self.driver.execute_async_script(script, *args)

    def parse(self, *paths: Path) -> list[dict[str, Any]]:
        self.pick(*paths)
        return self.call("parsePicked")

    def read(self, written: Written) -> dict[str, Any]:
        (parsed,) = self.parse(written.path)
        assert "error" not in parsed, parsed
        return parsed


def build(folder: Path) -> Path:
    """An extension with our manifest whose panel is tests/browser/documents_page."""
    parts = folder / "sidepanel" / "documents"
    parts.mkdir(parents=True)
    manifest = json.loads((ROOT / "manifest.json").read_text())
    del manifest["background"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    shutil.copytree(ROOT / "icons", folder / "icons")
    shutil.copytree(NODE_MODULES / "pdfjs-dist" / "cmaps", parts / "cmaps")
    shutil.copy(PAGE / "documents.html", folder / "sidepanel" / "index.html")
    for source, target in (
        (PAGE / "documents-page.js", "documents-page.js"),
        (ROOT / "sidepanel" / "documents" / "parse-worker.js", "documents/parse-worker.js"),
        (ROOT / "sidepanel" / "documents" / "pdf-worker.js", "documents/pdf-worker.js"),
    ):
        command = [NODE_MODULES / ".bin" / "esbuild", source, "--bundle", "--format=esm", "--log-level=error"]
        subprocess.run([*command, f"--outfile={folder / 'sidepanel' / target}"], check=True, cwd=ROOT)
    return folder


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Documents]:
    folder = build(tmp_path_factory.mktemp("documents") / "extension")
    with Documents(folder, find_browser(), webgpu=False) as browser:
        browser.driver.set_script_timeout(SECONDS)
        browser.open(browser.url("sidepanel/index.html"))
        yield browser


def text_of(parsed: dict[str, Any]) -> str:
    return "\n\n".join(block["text"] for block in parsed["blocks"])


def kept(written: Written, parsed: dict[str, Any]) -> float:
    """The share of the written words that was read, each as often as it was written."""
    wanted = Counter(re.findall(r"\w+", written.all))
    found = Counter(re.findall(r"\w+", text_of(parsed)))
    return (wanted & found).total() / wanted.total()


def headings(parsed: dict[str, Any]) -> list[str]:
    marked = [block for block in parsed["blocks"] if block.get("heading_level")]
    assert all(block["text"].startswith("#" * block["heading_level"] + " ") for block in marked)
    return [block["text"] for block in marked]


@pytest.mark.parametrize(
    ("name", "maker"),
    [
        ("report.pdf", files.pdf_report),
        ("columns.pdf", files.pdf_columns),
        ("turns.pdf", files.pdf_columns_by_turns),
        ("outline.pdf", files.pdf_outline),
        ("contents.pdf", files.pdf_contents),
        ("chinese.pdf", files.pdf_chinese),
        ("hyphens.pdf", files.pdf_hyphens),
        ("word.docx", files.word),
        ("book.epub", files.book),
        ("fonts.epub", files.book_with_scrambled_fonts),
        ("page.html", files.web_page),
        ("notes.md", files.markdown),
        ("story.txt", files.plain),
        ("wide.txt", files.plain_utf16),
        ("old.txt", files.plain_old_encoding),
        ("rows.csv", files.rows),
        ("papers.csv", files.wide_rows),
        ("data.json", files.json_data),
        ("lines.jsonl", files.json_lines),
        ("broken.json", files.json_broken),
        ("code.py", files.source_code),
    ],
)
def test_next_to_every_word_is_kept(page: Documents, tmp_path: Path, name: str, maker: Maker) -> None:
    written = maker(tmp_path / name)
    parsed = page.read(written)
    share = kept(written, parsed)
    print(f"{name}: {share:.1%} of {len(re.findall(r'[^ ]+', written.all))} words, {len(parsed['blocks'])} blocks")
    assert share >= LEAST_KEPT, text_of(parsed)[:3000]
    assert parsed["id"] == hashlib.sha256(written.path.read_bytes()).hexdigest()[:32]
    assert parsed["words"] > 0
    assert all(block["text"].strip() for block in parsed["blocks"])


# ---- PDF


def test_a_pdf_keeps_its_pages_headings_lists_and_tables(page: Documents, tmp_path: Path) -> None:
    parsed = page.read(files.pdf_report(tmp_path / "report.pdf"))
    assert (parsed["title"], parsed["pages"]) == ("Seals in numbers", 4)
    for number in range(1, 5):
        text = "\n\n".join(block["text"] for block in parsed["blocks"] if block["page"] == number)
        assert re.findall(r"Marker(\d)x", text) == [str(number)] * 4
        assert f"# Part {number}: {files.HEADINGS[number % 3]}\n" in text
        assert f"## Details of part {number}\n" in text
        for item in range(3):
            assert f"- {files.sentences(100 * number + item, 1)}" in text
        assert "| Measure | Female | Male |\n| --- | --- | --- |\n| Weight | 150 kilograms | 300 kilograms |" in text
        for paragraph in range(4):
            body = f"{files.sentences(10 * number + paragraph, 6)} Marker{number}x{paragraph}."
            assert body in [block["text"] for block in parsed["blocks"]]
    assert "Annual report" not in text_of(parsed)
    assert parsed["notes"] == ["Left out, as it is on many pages: “Annual report of the seal station”, “Page … of …”."]
    assert parsed["fractions"] == [0.25, 0.5, 0.75, 1]


@pytest.mark.parametrize("maker", [files.pdf_columns, files.pdf_columns_by_turns])
def test_columns_are_read_one_after_the_other(page: Documents, tmp_path: Path, maker: Maker) -> None:
    written = maker(tmp_path / "columns.pdf")
    text = " ".join(text_of(page.read(written)).split())
    if maker is files.pdf_columns_by_turns:
        assert text == " ".join(written.text)
    else:
        whole = [paragraph for paragraph in written.text if paragraph in text]
        assert len(whole) >= len(written.text) - 2  # one may run on into the next column, one onto the next page
        assert [text.index(paragraph) for paragraph in whole] == sorted(text.index(paragraph) for paragraph in whole)


def test_divided_words_are_joined_and_compounds_keep_their_hyphen(page: Documents, tmp_path: Path) -> None:
    written = files.pdf_hyphens(tmp_path / "hyphens.pdf")
    assert text_of(page.read(written)) == written.all


def test_an_outline_names_the_headings(page: Documents, tmp_path: Path) -> None:
    parsed = page.read(files.pdf_outline(tmp_path / "outline.pdf"))
    first, second, third = files.HEADINGS
    assert headings(parsed) == [f"# {first}", f"## {second}", f"## {third}"]
    assert parsed["title"] == first  # "untitled" is none


def test_pages_that_are_images_are_named(page: Documents, tmp_path: Path) -> None:
    parsed = page.read(files.pdf_partly_scanned(tmp_path / "mixed.pdf"))
    assert [block["page"] for block in parsed["blocks"]] == [1, 4]
    assert parsed["notes"] == ["Pages without text (images, or empty): 2–3, 5."]


def test_a_table_of_contents_is_no_row_of_headings(page: Documents, tmp_path: Path) -> None:
    parsed = page.read(files.pdf_contents(tmp_path / "contents.pdf"))
    assert [block["text"] for block in parsed["blocks"]][:3] == [f"{title} … {n}" for n, title in enumerate(files.HEADINGS, 1)]
    assert headings(parsed) == [f"# {title}" for title in files.HEADINGS]
    assert parsed["notes"] == ["Left out, as it is on many pages: page numbers."]


def test_chinese_lines_are_joined_without_spaces(page: Documents, tmp_path: Path) -> None:
    assert text_of(page.read(files.pdf_chinese(tmp_path / "chinese.pdf"))) == files.CHINESE


def test_a_pdf_by_libreoffice(page: Documents, tmp_path: Path) -> None:
    written = files.office_pdf(tmp_path)
    if not written:
        pytest.skip("LibreOffice is not installed")
    assert kept(written, page.read(written)) >= LEAST_KEPT


# ---- the other formats


def test_a_word_file_keeps_headings_lists_and_tables(page: Documents, tmp_path: Path) -> None:
    parsed = page.read(files.word(tmp_path / "word.docx"))
    assert parsed["title"] == "Seals in Word"
    expected = [line for n, title in enumerate(files.HEADINGS) for line in (f"# {title}", f"## Details {n}")]
    assert headings(parsed) == ["# Seals of the north", *expected]
    assert "| Measure | Female | Male |\n| --- | --- | --- |\n| Weight |" in text_of(parsed)
    assert f"- {files.sentences(2000, 1)}\n- {files.sentences(2001, 1)}" in text_of(parsed)
    assert files.RUSSIAN in text_of(parsed)
    assert files.ARABIC in text_of(parsed)


def test_a_book_follows_its_spine(page: Documents, tmp_path: Path) -> None:
    parsed = page.read(files.book(tmp_path / "book.epub"))
    assert parsed["title"] == "The Book of Seals"
    assert headings(parsed) == [*(f"## Chapter of number {n}" for n in range(4)), "# Chapter of number 4"]
    assert parsed["fractions"][-1] == 1


def test_a_web_page_loses_its_menus_and_runs_nothing(page: Documents, tmp_path: Path) -> None:
    parsed = page.read(files.web_page(tmp_path / "page.html"))
    text = text_of(parsed)
    assert parsed["title"] == "Seals on a page"
    for lost in ("Menuentry", "Scripttext", "Hiddentext", "Footertext", "color: red"):
        assert lost not in text
    assert "| Measure | Female | Male |\n| --- | --- | --- |" in text
    assert "```python\ndef seal():\n    return 1\n```" in text
    assert "- One\n  - Inner\n- Two" in text
    assert parsed["notes"]
    assert page.driver.execute_script("return window.hurt") is None


def test_markdown_comes_by_its_own_blocks(page: Documents, tmp_path: Path) -> None:
    parsed = page.read(files.markdown(tmp_path / "notes.md"))
    texts = [block["text"] for block in parsed["blocks"]]
    assert parsed["title"] == "Seals in Markdown"
    assert headings(parsed) == [f"# {files.HEADINGS[0]}", f"## {files.HEADINGS[1]}"]
    assert "- one\n- two\n  - inner" in texts
    assert "| A | B |\n| --- | --- |\n| first | second |" in texts
    assert "```python\ndef seal():\n\n    return 1\n```" in texts
    assert texts[-1] == "Raw markup"


def test_plain_text_is_never_markup(page: Documents, tmp_path: Path) -> None:
    parsed = page.read(files.plain(tmp_path / "story.txt"))
    assert headings(parsed) == ["## CHAPTER I", "## CHAPTER II"]
    assert r"\# not a heading" in [block["text"] for block in parsed["blocks"]]


def test_a_guessed_encoding_is_said(page: Documents, tmp_path: Path) -> None:
    assert page.read(files.plain_old_encoding(tmp_path / "old.txt"))["notes"]
    assert page.read(files.plain_utf16(tmp_path / "wide.txt"))["notes"] == []


def test_rows_become_tables_that_say_which_rows_they_are(page: Documents, tmp_path: Path) -> None:
    parsed = page.read(files.rows(tmp_path / "rows.csv"))
    assert parsed["title"] == "rows"
    assert headings(parsed)[0] == "## Rows 1–20"
    assert headings(parsed)[-1] == "## Rows 121–134"
    table = parsed["blocks"][1]["text"].splitlines()
    assert table[:3] == ["| name | age | remark |", "| --- | --- | --- |", '| Seal0 | 0 | old, "grey" 0 |']
    assert len(table) == 22


def test_long_rows_become_records(page: Documents, tmp_path: Path) -> None:
    parsed = page.read(files.wide_rows(tmp_path / "papers.csv"))
    assert parsed["blocks"][1]["text"] == f"title: Paper 0\nabstract: {files.sentences(0, 5)}"


def test_json_is_flattened(page: Documents, tmp_path: Path) -> None:
    parsed = page.read(files.json_data(tmp_path / "data.json"))
    text = text_of(parsed)
    assert "station.name: Northport" in text
    assert "tags: grey, ringed" in text
    assert f"remarks.remark7: {files.sentences(7, 3)}" in text
    assert max(len(block["text"]) for block in parsed["blocks"]) < 3000
    assert page.read(files.json_broken(tmp_path / "broken.json"))["notes"] == ["It is not valid JSON and was read as plain text."]


def test_source_code_is_cut_between_functions(page: Documents, tmp_path: Path) -> None:
    blocks = page.read(files.source_code(tmp_path / "code.py"))["blocks"]
    assert len(blocks) > 2
    for block in blocks:
        lines = block["text"].splitlines()
        assert (lines[0], lines[-1]) == ("```python", "```")
        assert re.match(r"import|def ", lines[1])


# ---- refusals


@pytest.mark.parametrize(
    ("name", "maker", "error", "says"),
    [
        ("locked.pdf", files.pdf_locked, "encrypted", "password"),
        ("locked.epub", files.book_locked, "encrypted", "DRM"),
        ("cut.pdf", files.pdf_cut_off, "damaged", ""),
        ("cut.docx", files.word_cut_off, "damaged", ""),
        ("renamed.pdf", files.plain, "damaged", "PDF"),
        ("blank.pdf", files.pdf_blank, "empty", "no text"),
        ("empty.docx", files.word_empty, "empty", "no text"),
        ("scan.pdf", files.pdf_scanned, "scanned", "OCR"),
        ("bomb.docx", files.bomb, "too-big", "400 MB"),
        ("picture.png", files.picture, "unsupported", "EPUB"),
        ("sheet.xlsx", files.other_archive, "unsupported", "DOCX"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(
    page: Documents, tmp_path: Path, name: str, maker: Maker, error: str, says: str
) -> None:
    (parsed,) = page.parse(maker(tmp_path / name).path)
    assert parsed.get("error") == error, parsed
    assert says in parsed["detail"]
    assert parsed["detail"].endswith((".", ")"))


def test_a_file_without_bytes_is_empty(page: Documents, tmp_path: Path) -> None:
    path = tmp_path / "nothing.txt"
    path.touch()
    assert page.parse(path)[0]["error"] == "empty"


@pytest.mark.parametrize("kind", ["bytes", "words"])
def test_a_huge_file_is_refused(page: Documents, kind: str) -> None:
    assert page.call("parseMade", kind)["error"] == "too-big"


def test_bad_files_leave_the_good_ones_alone(page: Documents, tmp_path: Path) -> None:
    made = [
        files.pdf_cut_off(tmp_path / "cut.pdf"),
        files.pdf_report(tmp_path / "report.pdf"),
        files.pdf_locked(tmp_path / "locked.pdf"),
        files.word_cut_off(tmp_path / "cut.docx"),
        files.word(tmp_path / "word.docx"),
        files.picture(tmp_path / "picture.png"),
        files.book(tmp_path / "book.epub"),
    ]
    before = page.driver.execute_script("return window.ended")
    results = page.parse(*(written.path for written in made))
    errors = [result.get("error") for result in results]
    assert errors == ["damaged", None, "encrypted", "damaged", None, "unsupported", None]
    assert all(
        kept(written, result) >= LEAST_KEPT
        for written, result in zip(made, results, strict=True)
        if written.text and "blocks" in result
    )
    assert page.driver.execute_script("return window.ended") == before + len(made)


# ---- stopping, and the way of Python


def test_a_stopped_file_ends_its_worker_and_the_next_is_read(page: Documents, tmp_path: Path) -> None:
    long = files.pdf_report(tmp_path / "long.pdf", pages=150)
    before = page.driver.execute_script("return window.ended")
    page.pick(long.path)
    stopped = page.call("parseAndStop")
    assert stopped == {"rejected": "AbortError", "fractions": [pytest.approx(1 / 150)]}
    assert page.driver.execute_script("return window.ended") == before + 1
    assert kept(long, page.read(long)) >= LEAST_KEPT


def test_a_file_that_waits_for_its_turn_can_be_stopped(page: Documents, tmp_path: Path) -> None:
    page.pick(files.word(tmp_path / "word.docx").path)
    results = page.call("stopWaiting")
    assert [result.get("rejected") for result in results] == [None, None, "AbortError", None]
    assert all("blocks" in results[i] for i in (0, 1, 3))


def test_nothing_is_fetched_from_elsewhere_and_no_rule_is_broken(page: Documents, tmp_path: Path) -> None:
    watch = Watch(page.driver)
    try:
        made = [
            files.pdf_chinese(tmp_path / "chinese.pdf"),
            files.web_page(tmp_path / "page.html"),
            files.book(tmp_path / "book.epub"),
            files.word(tmp_path / "word.docx"),
        ]
        results = page.parse(*(written.path for written in made))
        assert all("blocks" in result for result in results)
        assert any("bcmap" in url for _, url in watch.seen.requests)  # the Workers were watched
        assert watch.seen.outside(page.url("")) == []
        assert watch.seen.problems == []
    finally:
        watch.close()
