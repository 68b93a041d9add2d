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
    "built-in-gone": (
        "Chrome’s built-in model is not there any more",
        "Chrome takes it away when the disk gets full, or when its settings change (chrome://on-device-internals says more). "
        "Choose another model.",
    ),
    "not-downloaded": (
        "Chrome has not downloaded its model yet",
        "Download it in Settings, under Models; Chrome asks for a click of yours before it begins.",
    ),
    "not-allowed": (
        "Chrome does not let its built-in model be used",
        "A setting of Chrome or a policy of your organization forbids it. Choose another model.",
    ),
    "language": (
        "Chrome’s built-in model does not know this language",
        "It reads and writes English and a few other languages. Ask in English, or choose another model.",
    ),
    "filtered": (
        "Chrome held this answer back",
        "Its own filter found the answer unfit to show. Ask in other words, or choose another model.",
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

# code of background/protocol.js where a server of the user's answers, or does not -> title, detail; {host} is filled in
SERVER = {
    "server-unreachable": (
        "{host} does not answer",
        "Is the server running, and are address and port right? Start it, then try again. On another computer it must also "
        "listen on the network, and a firewall must let it through.",
    ),
    "origin-refused": (
        "{host} refuses browser extensions",
        "The server answers only those that it knows. Ollama: set OLLAMA_ORIGINS=chrome-extension://* where it is started, and "
        "restart it. LM Studio: switch on CORS in the server's settings. Then try again.",
    ),
    "key-refused": (
        "{host} does not take this key",
        "The server wants another key, or one at all. In Settings, under Models, remove it and connect again with the right key.",
    ),
    "no-such-model": (
        "{host} does not have this model any more",
        "Load it there again (Ollama: ollama pull, LM Studio: load it), or choose another model.",
    ),
    "no-models": ("{host} has no model", "Load one there (Ollama: ollama pull llama3.2), then try again."),
    "not-a-server": (
        "What answers at {host} is no such server",
        "It does not speak OpenAI’s interface. Look whether address and port are right: Ollama has 11434, LM Studio 1234, "
        "llama.cpp 8080, vLLM 8000.",
    ),
    "server-busy": (
        "{host} is busy",
        "It has too much to do, or its model is still being loaded. Wait a little, then try again.",
    ),
    "not-permitted": (
        "Chrome does not let Amplifier connect to {host}",
        "The permission was not given, or was taken back. Allow it in Settings, under Models, or choose another model.",
    ),
    "bad-request": (
        "{host} refuses the question",
        "The server or its model cannot do what was asked of it; its own words stand below. Try again, or choose another model.",
    ),
    "failed": ("{host} could not answer", "The server failed; its own words stand below. Look at its log, then try again."),
}
SERVER["withdrawn"] = SERVER["not-permitted"]
SERVER["engine-lost"] = SERVER["load-failed"] = SERVER["server-unreachable"]

LOST_SERVER = {
    "title": "The connection to {host} broke off",
    "detail": "It is tried again by itself; what you wrote is kept and will be sent.",
}


def server_problem(code: str, host: str, technical: str = "") -> Problem:
    """Why a server of the user's does not answer."""
    title, detail = SERVER.get(code, SERVER["failed"])
    return {"title": title.format(host=host or "The server"), "detail": detail, "technical": technical}


LOST = {
    "title": "The engine was lost",
    "detail": "It is being started again; what you wrote is kept and will be sent.",
}


def engine_problem(error: dict[str, str] | None, state: str, engine: str | None = None, host: str = "") -> Problem | None:
    """The problem behind an engine's state, or None. `engine` is EngineName in background/protocol.js; `host` is that of a
    server of the user's."""
    if error is None:
        return None
    if engine == "server" and state == "lost":
        return {**LOST_SERVER, "title": LOST_SERVER["title"].format(host=host), "technical": error["message"]}
    if engine == "server":
        return {**server_problem(error["code"], host, error["message"]), "action": RELOAD}
    if state == "lost":
        return {**LOST, "technical": error["message"]}
    known = {**ENGINE, **ON_CPU} if engine == "wllama" else ENGINE
    title, detail = known.get(error["code"], known["load-failed"])
    return {"title": title, "detail": detail, "technical": error["message"], "action": RELOAD}


# name of the DOMException with which Chrome refuses to download its model -> detail
BUILT_IN_DOWNLOAD = {
    "NotAllowedError": "Chrome begins it only upon a click. Click Download again.",
    "NetworkError": "Look at the network connection and at the free disk space (Chrome wants 22 GB free), then try again.",
    "NotSupportedError": "This computer or this version of Chrome is not fit for it; chrome://on-device-internals says more.",
}


def built_in_problem(name: str, detail: str) -> Problem:
    """Why Chrome's own model was not downloaded."""
    text = BUILT_IN_DOWNLOAD.get(name, "Try again; chrome://on-device-internals says more.")
    return {"title": "Chrome did not download its model", "detail": text, "technical": detail}


def answer_problem(message: str, answer_id: str, engine_state: str, host: str = "") -> Problem:
    """Why an answer failed: `message` is "code: details" from the provider or the context, or any exception's text; `host` is
    that of a server of the user's."""
    code, _, detail = message.partition(": ")
    retry = {"label": "Try again", "command": {"type": "retry", "id": answer_id}}
    if code == "too-many-images":
        return {**too_many_images(*(int(number) for number in detail.split(" of "))), "technical": message}
    if code == "context-length" and not detail[:1].isdigit():  # a server's own words
        return {
            "title": "This is too long for the model",
            "detail": "Shorten your message with Edit, or send it in parts.",
            "technical": detail,
        }
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
        (code in ENGINE or code in SERVER) and engine_state == "unavailable"
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
    if host and code in SERVER:
        return {**server_problem(code, host, detail), "action": retry}
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

# why an image could not be taken: Refusal of sidepanel/pictures.js -> title, next step
IMAGE = {
    "not-an-image": ("it is no image", "Attach a PNG, JPEG, WebP, GIF or AVIF image."),
    "drawing": ("it is a drawing (SVG), no picture", "Open it in a tab, and attach a screenshot of that: type @ and choose it."),
    "heic": ("Chrome cannot open HEIC photos", "Save it as JPEG or PNG first, and attach that."),
    "too-large": ("it is too large", "Make it smaller first, below 100 megapixels and 50 MB, and attach that."),
    "damaged": ("it is damaged", "Open it in another program, save it again, and attach that."),
}


def too_many_images(fits: int, count: int) -> Problem:
    """That of the images which a message was sent with only some fit into the model's context."""
    if fits == 0:
        what = "this image" if count == 1 else "even one of these images"
        detail = f"The model’s context has no room for {what}. Make it smaller, or choose a model with a larger context."
        return {"title": "The image is too large for this model", "detail": detail, "technical": ""}
    detail = f"Of these {count} images {fits} {'fits' if fits == 1 else 'fit'} into the model’s context at a time. "
    detail += f"Send {'one' if fits == 1 else f'at most {fits}'} at a time, or choose a model with a larger context."
    return {"title": "Too many images at a time", "detail": detail, "technical": ""}


def image_problem(error: str, detail: str) -> Problem:
    """Why an image could not be taken."""
    title, step = IMAGE.get(error, IMAGE["damaged"])
    return {"title": title, "detail": step, "technical": detail}


def blindness(name: str, at_hand: dict[str, Any] | None, others: list[str]) -> Problem:
    """That the model called `name` takes no images, and which does: one that can be chosen at once, else one to download."""
    found: Problem = {"title": f"{name} cannot see images", "detail": "", "technical": ""}
    if at_hand:
        action = {"label": f"Use {at_hand['name']}", "command": {"type": "choose-model", "model": at_hand["id"]}}
        return {**found, "detail": f"{at_hand['name']} can.", "action": action}
    if others:
        return {**found, "detail": f"{others[0]} can: download it in Settings, under Models."}
    return {**found, "detail": "Neither can any other model here. One on a server of yours may: Settings, under Models."}


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
