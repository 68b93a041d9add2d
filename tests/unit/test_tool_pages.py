"""Reading pages: how much of one the model gets, which tab is meant, and that no tab is read without asking."""

from __future__ import annotations

from typing import Any

import pytest
from amplifier_browser.modules import tool_pages
from tool_harness import Browser, asked, page, refused, said, tools_of

SEALS = page(
    "Grey seals",
    "https://seals.example/grey?x=1",
    "# Grey seals\n\nGrey seals live in the North Atlantic. They eat sand eels.\n\n"
    "## Pups\n\nA pup is born with a white coat. The coat is shed after three weeks. Pups drink milk for eighteen days.",
)
OWLS = page("Owl news", "https://www.owls.example/today", "Owls hunt at night. " * 10)
CAFE = page("Café Owl, menu", "https://cafe.example/", "Soup of the day. " * 10)
LONG = page(
    "Long read",
    "https://long.example/",
    "\n\n".join(f"Paragraph {i} begins here. {'It has many words in it. ' * 10}It ends." for i in range(40)),
)


async def pages(
    *shown: dict[str, Any], permissions: tuple[str, ...] = ("tabs",), context_window: int = 2048
) -> tuple[Any, Browser]:
    browser = Browser(*shown)
    browser.permissions = set(permissions)
    return await tools_of(tool_pages, browser, context_window), browser


# ---- read_page, the tab in front


async def test_a_page_that_fits_is_read_whole() -> None:
    tools, browser = await pages(SEALS, permissions=())
    result = await tools["read_page"].execute({})
    assert said(result) == SEALS["markdown"]  # the title stands there already
    assert result.output["display"][0]["text"] == "Grey seals\nhttps://seals.example/grey?x=1\nAll 37 words."
    assert [name for name, _ in browser.calls] == ["page.read"]
    assert (await tools["read_page"].traits.permission({})).free


async def test_of_a_long_page_the_first_sentences_are_read_and_the_rest_is_told() -> None:
    tools, _ = await pages(LONG)
    text = said(await tools["read_page"].execute({}))
    assert text.startswith("# Long read\n\nParagraph 0 begins here.")
    body, _, note = text.removeprefix("# Long read\n\n").rpartition("\n\n")
    assert LONG["markdown"].startswith(body)
    assert body.endswith((".", "here."))
    words = len(body.split())
    assert 2048 // 2 - 100 - 40 < words <= 2048 // 2 - 100
    told = int(note.split("first ")[1].split(" ")[0].replace(",", ""))
    assert abs(told - words) < 20
    assert f"of {LONG['words']:,} words; the rest was left out" in note


async def test_a_larger_model_reads_more() -> None:
    small, large = [(await pages(LONG, context_window=size))[0] for size in (1024, 4096)]
    texts = [said(await tools["read_page"].execute({})) for tools in (small, large)]
    assert len(texts[0]) * 3 < len(texts[1])


async def test_a_text_without_sentences_is_cut_between_words() -> None:
    tools, _ = await pages(page("Endless", "https://x.example/", "word " * 3000))
    text = said(await tools["read_page"].execute({}))
    assert 300 < text.count("word") < 1000
    assert "word\n\n(About the first" in text


async def test_a_page_that_cannot_be_read_says_the_next_step() -> None:
    tools, _ = await pages(
        {"title": "", "url": "chrome://settings", "error": "refused", "detail": "Cannot access a chrome:// URL"}
    )
    message = refused(await tools["read_page"].execute({}))
    assert message.startswith("Chrome's own pages cannot be read. ")
    assert "ordinary web page" in message
    assert message == refused(await tools["find_in_page"].execute({"text": "x"}))


# ---- read_page, other tabs


async def test_another_tab_is_asked_for_by_its_site_and_then_read() -> None:
    tools, browser = await pages(SEALS, OWLS)
    permission = await tools["read_page"].traits.permission({"tab": "owl news"})
    assert not permission.free
    assert permission.scope == "www.owls.example"
    assert permission.needs == {"origins": ["https://www.owls.example/*"]}
    assert "Owl news" in permission.sees and "www.owls.example" in permission.sees
    assert "Owls hunt" in said(await tools["read_page"].execute({"tab": "owl news"}))
    assert browser.calls[-1] == ("page.read", {"seconds": 10, "tab": 1})


async def test_what_was_not_asked_about_is_not_read() -> None:
    tools, browser = await pages(SEALS, OWLS)
    assert "must be asked" in refused(await tools["read_page"].execute({"tab": "owl news"}))
    await tools["read_page"].traits.permission({"tab": "owl news"})
    await tools["read_page"].execute({"tab": "owl news"})
    assert "must be asked" in refused(await tools["read_page"].execute({"tab": "owl news"}))  # one answer, one reading
    assert [name for name, _ in browser.calls].count("page.read") == 1


async def test_a_tab_that_went_on_to_another_site_keeps_its_text() -> None:
    tools, browser = await pages(SEALS, OWLS)
    await tools["read_page"].traits.permission({"tab": "owl news"})
    browser.pages[1] = page("Bank", "https://bank.example/", "Your balance is 12. " * 10)
    result = await tools["read_page"].execute({"tab": "owl news"})
    assert "another site" in refused(result)
    assert "balance" not in str(result)


async def test_before_tabs_can_be_seen_the_browser_must_allow_that() -> None:
    tools, browser = await pages(SEALS, OWLS, permissions=())
    permission = await tools["read_page"].traits.permission({"tab": "owl news"})
    assert permission.needs == {"permissions": ["tabs"]}
    assert not permission.free
    assert "may not see the other tabs" in refused(await tools["read_page"].execute({"tab": "owl news"}))
    browser.permissions = {"tabs"}  # the user allows it, and is asked for the site next
    assert (await tools["read_page"].traits.permission({"tab": "owl news"})).scope == "www.owls.example"


async def test_a_title_cannot_hide_the_site_in_the_question() -> None:
    tools, _ = await pages(SEALS, page("Owls\u202e\u2066 moc.knab", "https://owls.example/", "x"))
    assert "\u202e" not in (await tools["read_page"].traits.permission({"tab": "2"})).sees


@pytest.mark.parametrize("tab", ["", "current", "This tab", " this page "])
async def test_the_tab_in_front_by_any_name_is_free(tab: str) -> None:
    tools, browser = await pages(SEALS, OWLS, permissions=())
    assert (await tools["read_page"].traits.permission({"tab": tab})).free
    assert "Grey seals live" in said(await tools["read_page"].execute({"tab": tab}))
    assert browser.calls[-1] == ("page.read", {"seconds": 10})


async def test_the_tab_in_front_named_by_its_title_is_free() -> None:
    tools, browser = await pages(SEALS, OWLS)
    assert (await tools["read_page"].traits.permission({"tab": "grey seals"})).free
    assert "Grey seals live" in said(await tools["read_page"].execute({"tab": "grey seals"}))
    assert browser.calls[-1] == ("page.read", {"seconds": 10})


@pytest.mark.parametrize(
    ("tab", "site"),
    [
        ("owls.example", "www.owls.example"),
        ("https://cafe.example/", "cafe.example"),
        ("“Owl News”", "www.owls.example"),
        ("menu cafe", "cafe.example"),
        ("2", "www.owls.example"),
        ("tab #3", "cafe.example"),
    ],
)
async def test_which_tab_is_meant(tab: str, site: str) -> None:
    tools, _ = await pages(SEALS, OWLS, CAFE)
    assert (await tools["read_page"].traits.permission({"tab": tab})).scope == site


async def test_unclear_wishes_are_refused_with_what_there_is() -> None:
    tools, _ = await pages(SEALS, OWLS, CAFE)
    for tab, reason in (
        ("owl", "2 open tabs fit “owl”: Owl news"),
        ("bank", "No open tab is called"),
        ("9", "There is no tab 9"),
    ):
        assert (await tools["read_page"].traits.permission({"tab": tab})).free  # nothing can be read
        assert reason in refused(await tools["read_page"].execute({"tab": tab}))


async def test_a_tab_without_a_web_page_is_not_asked_for() -> None:
    tools, browser = await pages(SEALS, page("Settings", "chrome://settings/", "x"))
    assert (await tools["read_page"].traits.permission({"tab": "settings"})).free
    assert "no web page" in refused(await tools["read_page"].execute({"tab": "settings"}))
    assert "page.read" not in [name for name, _ in browser.calls]


# ---- list_tabs


async def test_tabs_are_listed_with_numbers_that_read_page_knows() -> None:
    tools, browser = await pages(SEALS, OWLS, CAFE)
    text = said(await tools["list_tabs"].execute({}))
    assert text.splitlines() == [
        "1. Grey seals (seals.example, current tab)",
        "2. Owl news (www.owls.example)",
        "3. Café Owl, menu (cafe.example)",
    ]
    listed = browser.tabs_list()
    browser.tabs_list = lambda: [listed[0], listed[2]]  # type: ignore[method-assign] - the second is closed
    assert (await tools["read_page"].traits.permission({"tab": "3"})).scope == "cafe.example"
    assert "no tab 2" in refused(await tools["read_page"].execute({"tab": "2"}))


async def test_the_user_is_asked_before_tabs_are_listed() -> None:
    tools, _ = await pages(SEALS, OWLS, permissions=())
    permission = tools["list_tabs"].traits.permission({})
    assert not permission.free
    assert permission.sees == "The titles and addresses of all tabs in this window."
    assert permission.needs == {"permissions": ["tabs"]}
    assert "allow it" in refused(await tools["list_tabs"].execute({}))


async def test_only_so_many_tabs_are_listed() -> None:
    tools, _ = await pages(SEALS, *[page("T" * 200, f"https://{i}.example/", "x") for i in range(40)])
    result = await tools["list_tabs"].execute({})
    lines = said(result).splitlines()
    assert len(lines) == 31
    assert lines[-1] == "And 11 more."
    assert max(map(len, lines)) < 120
    assert result.output["display"][0]["more"] == 11


# ---- find_in_page


@pytest.mark.parametrize("text", ["white coat", "WHITE  COAT", "“White Coat”", "whíte\ncoat"])
async def test_words_are_found_however_they_are_written(text: str) -> None:
    tools, _ = await pages(SEALS)
    found = said(await tools["find_in_page"].execute({"text": text}))
    assert "stands once on this page" in found
    assert "1. A pup is born with a white coat." in found
    assert "three weeks" not in found


async def test_every_place_is_counted_and_whole_words_come_first() -> None:
    tools, _ = await pages(SEALS)
    assert "stands twice" in said(await tools["find_in_page"].execute({"text": "coat"}))
    assert "stands once" in said(await tools["find_in_page"].execute({"text": "pup"}))  # not "Pups"
    assert "stands once" in said(await tools["find_in_page"].execute({"text": "eighte"}))  # a part of a word, if nothing else


async def test_a_passage_across_sentences_is_found() -> None:
    tools, _ = await pages(SEALS)
    found = said(await tools["find_in_page"].execute({"text": "North Atlantic. They eat"}))
    assert "1. Grey seals live in the North Atlantic. They eat sand eels." in found


async def test_words_that_stand_nowhere_bring_the_nearest_passages() -> None:
    tools, _ = await pages(SEALS)
    found = said(await tools["find_in_page"].execute({"text": "how long do pups get milk"}))
    assert "does not stand on this page word for word" in found
    assert "1. A pup is born" in found and "milk for eighteen days" in found
    nothing = said(await tools["find_in_page"].execute({"text": "submarine"}))
    assert nothing == "“submarine” does not stand on this page, nor does anything like it."
    assert "No words" in refused(await tools["find_in_page"].execute({"text": " “” "}))


async def test_what_is_found_stays_short() -> None:
    tools, _ = await pages(LONG)
    found = said(await tools["find_in_page"].execute({"text": "many words"}))
    assert "stands 400 times" in found
    assert len(found) < 2000
    assert "more sentences." in found
    endless, _ = await pages(page("Endless", "https://x.example/", "a " * 4000 + "needle" + " b" * 4000))
    found = said(await endless["find_in_page"].execute({"text": "needle"}))
    assert "needle b" in found and len(found) < 600


async def test_words_in_scripts_without_spaces_are_found() -> None:
    tools, _ = await pages(page("海豹", "https://cjk.example/", "灰海豹生活在北大西洋。它们吃玉筋鱼。" * 3))
    assert "3 times" in said(await tools["find_in_page"].execute({"text": "北大西洋"}))
    assert "灰海豹生活在北大西洋。" in said(await tools["find_in_page"].execute({"text": "海豹在大西洋"}))


# ---- who asks for them


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("read this page", ("read_page", {})),
        ("Please read the article and tell me who wrote it", ("read_page", {})),
        ("Look at this page", ("read_page", {})),
        ("What's on this page?", ("read_page", {})),
        ("what is this article about?", ("read_page", {})),
        ("Summarize this page in one sentence", ("read_page", {})),
        ("What does this page say?", ("read_page", {})),
        ("read tab 3", ("read_page", {"tab": "3"})),
        ("Read the tab about owls.", ("read_page", {"tab": "owls"})),
        ("read my Café Owl tab", ("read_page", {"tab": "Café Owl"})),
        ("/read_page", ("read_page", {})),
        ("which tabs are open?", ("list_tabs", {})),
        ("What tabs do I have open", ("list_tabs", {})),
        ("list all my tabs", ("list_tabs", {})),
        ("show me the open tabs", ("list_tabs", {})),
        ("/list_tabs", ("list_tabs", {})),
        ("find “white coat” on this page", ("find_in_page", {"text": "“white coat”"})),
        ("search this page for seals", ("find_in_page", {"text": "seals"})),
        ("Does this article mention Scotland?", ("find_in_page", {"text": "Scotland"})),
        ("what does the page say about pups?", ("find_in_page", {"text": "pups"})),
        ("Is the North Sea mentioned on this page?", ("find_in_page", {"text": "the North Sea"})),
        ("/find_in_page white coat", ("find_in_page", {"text": "white coat"})),
    ],
)
def test_asked_by(prompt: str, expected: tuple[str, Any]) -> None:
    assert asked(prompt) == expected


@pytest.mark.parametrize(
    "prompt",
    [
        "What is the capital of France?",
        "How do I read guitar tabs?",
        "What are tabs good for in Python?",
        "Find the error in this code",
        "Find a rhyme for orange",
        "What books should I read?",
        "Read the following poem and explain it.",
        "Write an article about reading pages",
        "How do I read a web page in Python?",
        "hello",
        "",
    ],
)
def test_not_asked_by(prompt: str) -> None:
    assert asked(prompt) is None


async def test_what_is_found_in_a_pdf_names_its_page() -> None:
    texts = ["## Seals", "Seals swim. They eat fish.", "Pups drink milk."]
    pdf = page("Seals", "https://seals.example/a.pdf", "\n\n".join(texts))
    blocks = [{"text": text, "page": number} for text, number in zip(texts, (1, 1, 2), strict=True)]
    tools, _ = await pages({**pdf, "method": "pdf", "blocks": blocks})
    text = said(await tools["find_in_page"].execute({"text": "drink milk"}))
    assert text == "“drink milk” stands once in this PDF:\n1. Pups drink milk. (page 2)"
    assert said(await tools["read_page"].execute({})).endswith("Pups drink milk.")
    tools, _ = await pages({"error": "pdf", "reason": "scanned", "detail": "x", "url": "https://a.example/a.pdf", "title": ""})
    assert refused(await tools["read_page"].execute({})).startswith("This PDF cannot be read: it is scanned")
