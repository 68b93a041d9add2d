"""What went wrong, in words for the user, each with the next step. Interface: Problem in sidepanel/types.js."""

from __future__ import annotations

from typing import Any

Problem = dict[str, Any]

RELOAD = {"label": "Try again", "command": {"type": "reload-engine"}}

# code of background/protocol.js -> title, detail
ENGINE = {
    "no-webgpu": (
        "This browser has no WebGPU",
        "The model runs on the graphics card through WebGPU, which this browser does not offer. Update Chrome to version 124 "
        "or newer; on Linux also switch on chrome://flags/#enable-unsafe-webgpu. Then try again.",
    ),
    "no-adapter": (
        "No graphics card that the model can use",
        "Chrome found no WebGPU adapter. Look at chrome://gpu: WebGPU should say hardware accelerated. Switch on “Use graphics "
        "acceleration when available” in chrome://settings/system, update the graphics driver, restart Chrome, then try again.",
    ),
    "no-f16": (
        "This graphics card lacks 16-bit shaders",
        "The chosen model needs the WebGPU feature shader-f16. Choose another model.",
    ),
    "out-of-memory": (
        "The graphics card ran out of memory",
        "Close other tabs and programs that use the graphics card, or choose a smaller model, then try again.",
    ),
    "engine-lost": (
        "The graphics card stopped responding",
        "The engine was restarted several times without success. Close other heavy tabs, then try again; restarting Chrome "
        "helps too.",
    ),
    "unknown-model": ("This model is not in the package", "Choose another model from the list."),
    "load-failed": ("The model could not be loaded", "Try again. If it fails again, install the extension anew."),
}

# the same where the model runs on the processor
ON_CPU = {
    "out-of-memory": (
        "This computer ran out of memory",
        "Close other tabs and programs, or choose a smaller model, then try again.",
    ),
    "engine-lost": (
        "The model stopped again and again",
        "It runs on the processor, for want of a graphics card that it could use. Close other heavy tabs, then try again; "
        "restarting Chrome helps too.",
    ),
    "load-failed": (
        "The model could not be loaded",
        "Chrome found no graphics card that the model can use (chrome://gpu says more), and it could not be started on the "
        "processor either, for which Chrome 133 or newer is needed. Update Chrome, then try again.",
    ),
}

LOST = {
    "title": "The engine was lost",
    "detail": "It is being started again; what you wrote is kept and will be sent.",
}


def engine_problem(error: dict[str, str] | None, state: str, engine: str | None = None) -> Problem | None:
    """The problem behind an engine's state, or None. `engine` is EngineName in background/protocol.js."""
    if error is None:
        return None
    if state == "lost":
        return {**LOST, "technical": error["message"]}
    known = {**ENGINE, **ON_CPU} if engine == "wllama" else ENGINE
    title, detail = known.get(error["code"], known["load-failed"])
    return {"title": title, "detail": detail, "technical": error["message"], "action": RELOAD}


def answer_problem(message: str, answer_id: str, engine_state: str) -> Problem:
    """Why an answer failed: `message` is "code: details" from the provider or the context, or any exception's text."""
    code, _, detail = message.partition(": ")
    retry = {"label": "Try again", "command": {"type": "retry", "id": answer_id}}
    if code == "context-length":
        return {
            "title": "This is too long for the model",
            "detail": f"It needs {detail} tokens at a time. Shorten your message with Edit, or send it in parts.",
        }
    if code == "tool-call":
        return {
            "title": "The model did not finish its tool call",
            "detail": "It came to the end of its room in the middle of it. Try again, or ask for less at a time.",
            "technical": detail,
            "action": retry,
        }
    if code == "engine-lost":
        return {
            "title": "The engine was lost again and again",
            "detail": "What was written so far is kept. Go on with it once the engine is ready.",
            "technical": detail,
            "action": {"label": "Continue", "command": {"type": "continue", "id": answer_id}},
        }
    if (
        code in ENGINE and engine_state == "unavailable"
    ):  # the panel shows the reason and the way out by itself; here is only what it means for the question
        return {
            "title": "Not answered: no model is running",
            "detail": "Your question is kept. Try again once the model runs; what keeps it from running is said below.",
            "technical": detail,
            "action": retry,
        }
    if code in ENGINE:
        title, text = ENGINE[code]
        return {"title": title, "detail": text, "technical": detail, "action": retry}
    return {
        "title": "The answer failed",
        "detail": "What was written so far is kept. Try again; if it fails again, start a new session.",
        "technical": message,
        "action": retry,
    }


# error of sidepanel/documents/blocks.js -> title, next step
DOCUMENT = {
    "encrypted": ("it is locked", "Open it with its password, save or print it as a PDF without one, and attach that."),
    "damaged": ("it is damaged", "Open it in the program that made it, save it again, and attach that."),
    "empty": ("there is no text in it", "Attach a file with text in it."),
    "scanned": (
        "it is scanned: pictures of pages, no text",
        "Run it through a text recognition (OCR) first, and attach what that gives.",
    ),
    "too-big": ("it is too large", "Attach a part of it."),
    "unsupported": (
        "this kind of file cannot be read",
        "Save it as PDF, DOCX, EPUB, HTML, Markdown, plain text, CSV or JSON, and attach that.",
    ),
}

# code of the library in background/protocol.js -> title, next step
LIBRARY = {
    "library-full": ("The disk is full", "Delete documents in Settings, or free some space, then try again."),
    "library-blocked": (
        "Chrome lets the extension store nothing",
        "Allow it to store data (chrome://settings/content), then try again.",
    ),
    "embedding-model": (
        "The search model could not be loaded",
        "Documents are found by their words only. Install the extension anew to mend it.",
    ),
    "library-lost": ("The library stopped", "It starts again by itself, and the documents are kept. Try again in a moment."),
    "unknown-document": ("The document is not there any more", "It was deleted in another window."),
    "stopped": ("The search was stopped", "Search again."),
}


def document_problem(error: str, detail: str) -> Problem:
    """Why a file could not be read."""
    title, step = DOCUMENT.get(error, DOCUMENT["damaged"])
    return {"title": title, "detail": step, "technical": detail}


def library_problem(code: str, detail: str) -> Problem:
    """Why a document could not be kept."""
    title, step = LIBRARY.get(code, ("It could not be kept", "Attach it again; if it fails again, restart Chrome."))
    return {"title": title, "detail": step, "technical": detail}


def library_trouble(code: str, detail: str) -> Problem:
    """Why the library as a whole does not work as it should."""
    title, step = LIBRARY.get(code, ("The library does not answer", "Try again; if it fails again, restart Chrome."))
    return {"title": title, "detail": step, "technical": detail}


def library_words(code: str) -> str:
    """The same in a line."""
    trouble = library_trouble(code, "")
    return f"{trouble['title']}. {trouble['detail']}"


# error of `page.show` in sidepanel/host.js -> what to do
CITATION = {
    "gone": "The tab of that page was closed. Open the page again from its card above the answer.",
    "elsewhere": "The tab shows another page by now. Go back in it, or open the page from its card above the answer.",
    "refused": "Amplifier may no longer look into that page. Click its button in the toolbar there, then try again.",
}


def citation_problem(shown: dict[str, Any] | None) -> str | None:
    """Why a passage could not be shown, in words; None if it was."""
    if not shown or "error" in shown:
        return CITATION.get((shown or {}).get("error", ""), CITATION["gone"])
    return None if shown["found"] else "That passage is not on the page any more: it has changed since it was read."


def start_problem(message: str) -> Problem:
    """Why the session could not be opened at all."""
    return {
        "title": "Amplifier could not start",
        "detail": "Close the panel and open it again; if that does not help, install the extension anew.",
        "technical": message,
    }
