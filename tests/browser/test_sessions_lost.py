"""Conversations that were deleted, thrown away by Chrome, or kept by a later version, in the real database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from panel_driver import ScriptedDriver
from test_sessions import FORGET, Conversations

# Opens the database for the `work` before it, and answers with what that gives.
DATABASE = """
const settled = (request, event = "onsuccess") => new Promise((resolve, reject) => {
  request[event] = () => resolve(request.result);
  request.onerror = request.onabort = () => reject(request.error);
});
return (async () => {
  const database = await settled(indexedDB.open("sessions"));
  try {
    return await work(database);
  } finally {
    database.close();
  }
})();
"""

# A second conversation, which cannot be read, and pages and images of both.
ADD = f"""
const [session] = arguments;
const work = (database) => {{
  const transaction = database.transaction([...database.objectStoreNames], "readwrite");
  const put = (name, ...row) => transaction.objectStore(name).put(...row);
  put("sessions", {{id: "bad", title: 7, version: 2, odd: [1, {{of: "a later kind"}}]}});
  put("messages", {{session: "bad", id: "m", message: {{id: "m", odd: true}}}});
  put("memories", {{session: "bad", order: ["m"], memory: "lost"}});
  put("texts", "what was said in it", "bad");
  for (const id of [session, "bad"]) {{
    put("pages", {{session: id, id: "p7", value: {{markdown: "The text of a page."}}}});
    put("images", {{session: id, id: `picture of ${{id}}`, blob: new Blob([`pixels of ${{id}}`], {{type: "image/jpeg"}})}});
  }}
  return settled(transaction, "oncomplete");
}};
{DATABASE}"""
ROWS = f"""
const work = async (database) => {{
  const stores = {{}};
  const transaction = database.transaction([...database.objectStoreNames]);
  await Promise.all([...database.objectStoreNames].map(async (name) => {{
    const store = transaction.objectStore(name);
    const [keys, values] = await Promise.all([settled(store.getAllKeys()), settled(store.getAll())]);
    stores[name] = keys.map((key, at) => [key, values[at]]);
  }}));
  for (const row of stores.images) row[1] = {{...row[1], blob: [row[1].blob.type, await row[1].blob.text()]}};
  return stores;
}};
{DATABASE}"""
DELETE = """
const [done] = arguments;
const deleting = indexedDB.deleteDatabase("sessions");
deleting.onsuccess = () => done("deleted");
deleting.onblocked = () => done("blocked");
"""
MAKE_LATER = """
const [done] = arguments;
const opening = indexedDB.open("sessions", 99);
opening.onsuccess = () => { opening.result.close(); done("later"); };
opening.onblocked = () => done("blocked");
"""


@pytest.fixture
def talks(scripted: ScriptedDriver) -> Iterator[Conversations]:
    """A browser with no conversations."""
    scripted.to_panel()
    scripted.new_session()
    scripted.driver.execute_script(FORGET)
    yield Conversations(scripted)
    if scripted.driver.find_elements("css selector", "dialog[open] [data-testid=sessions-close]"):
        scripted.click("sessions-close")


def with_closed_panel(scripted: ScriptedDriver, script: str) -> None:
    """Does something to the database while nobody has it open; then opens the panel again."""
    scripted.close_panel()
    page = scripted.driver.current_url
    scripted.open(scripted.url("manifest.json"))
    assert scripted.driver.execute_async_script(script) != "blocked"
    scripted.open(page)
    scripted.open_panel()
    scripted.wait_ready()


def rows(scripted: ScriptedDriver) -> dict[str, Any]:
    """All that is in the database."""
    return scripted.driver.execute_script(ROWS)


def test_undo_brings_all_back_as_it_was_with_pages_images_and_what_cannot_be_read(
    talks: Conversations, scripted: ScriptedDriver
) -> None:
    talks.say("What do owls hunt?", "Mice.")
    scripted.driver.execute_script(ADD, talks.kept()[0]["id"])
    scripted.new_session()
    before = rows(scripted)
    assert len(before["sessions"]) == len(before["images"]) == 2 and len(before["pages"]) == 2
    talks.open_list()
    scripted.wait(lambda: "This conversation cannot be read" in talks.titles(), 10, "it is listed")
    scripted.click("session-delete-all")
    scripted.click("session-delete-all-confirm")
    scripted.wait(lambda: not rows(scripted)["sessions"], 10, "all are deleted")
    assert not any(rows(scripted).values())
    scripted.wait(lambda: scripted.find_all("session-undo"), 10, "there is a way back")
    scripted.click("session-undo")
    scripted.wait(lambda: len(rows(scripted)["sessions"]) == 2, 10, "they are back")
    assert rows(scripted) == before
    scripted.click("sessions-close")


def test_a_database_that_chrome_threw_away_is_told_until_there_is_a_conversation_again(
    talks: Conversations, scripted: ScriptedDriver
) -> None:
    talks.say("What do owls hunt?", "Mice.")
    scripted.wait(lambda: (scripted.stored("kept_sessions") or {}).get("count") == 1, 10, "it is remembered")
    with_closed_panel(scripted, DELETE)
    told = "The conversation that was kept here on"
    scripted.wait(lambda: any(notice.startswith(told) for notice in scripted.notices()), 10, "it is told")
    assert "import them from the list of conversations" in scripted.notices()[-1]
    talks.say("What do seals eat?", "Herring.")
    talks.open_list()
    talks.menu("What do seals eat?", "session-delete")
    scripted.wait(lambda: (scripted.stored("kept_sessions") or {}).get("count") == 0, 10, "what the user deletes is not lost")
    scripted.click("sessions-close")
    scripted.close_panel()
    scripted.open_panel()
    scripted.wait_ready()
    assert not any("was kept here" in notice for notice in scripted.notices())


def test_a_database_of_a_later_version_says_so(talks: Conversations, scripted: ScriptedDriver) -> None:
    with_closed_panel(scripted, MAKE_LATER)
    newer = "The conversations were kept by a newer Amplifier"
    scripted.wait(lambda: any(notice.startswith(newer) for notice in scripted.notices()), 10, "it is told")
    talks.open_list()
    scripted.wait(lambda: newer in scripted.find("session-list").text, 10, "the list says so")
    scripted.click("sessions-close")
    scripted.script("Mice.")
    scripted.ask("What do owls hunt?")
    assert scripted.wait_answer() == "done"
    with_closed_panel(scripted, DELETE)
    assert not any(notice.startswith(newer) for notice in scripted.notices())
