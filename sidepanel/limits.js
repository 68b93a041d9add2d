/**
 * What the page itself refuses, and why. They are here, and not with Python that decides the rest, because what is over them
 * must not even be loaded, unpacked or handed over.
 */

const MB = 1 << 20;

/** A larger file is not opened: its parser takes several times as much memory, and a Worker has 4 GB at most. */
export const MOST_BYTES = 50 * MB;
/** What a zip archive (DOCX, EPUB) may unpack to: more is a bomb, or nothing that a panel can hold. */
export const MOST_UNPACKED = 400 * MB;
/** What a file may hold: twenty novels. Its chunks go to the library in one message, and a port takes 64 MB at most. */
export const MOST_WORDS = 2_000_000;
export const MOST_CHARACTERS = 24_000_000;
/** A file in which nothing moves for so many milliseconds has its parser in a loop. */
export const LONGEST_SILENCE = 180_000;
/** Files that are read at a time: each Worker may need its several times 50 MB. */
export const FILES_AT_ONCE = 2;

/** Of an image: four bytes each, while it is made smaller. */
export const MOST_PIXELS = 100_000_000;

/** A user's module is text that one person wrote; above this a file is hardly one. */
export const LARGEST_MODULE = MB / 4;
/**
 * An exported collection, about 40,000 passages: it is one text, of which the panel and Python each hold copies. What is
 * larger is not exported either (documents/collection_file.py).
 */
export const LARGEST_COLLECTION = 64 * MB;
/** An exported conversation: one of a thousand long answers takes a tenth of it. */
export const LARGEST_SESSION = 32 * MB;
/** Characters of a collection's name, so that it stays a line. */
export const LONGEST_NAME = 80;
/** Characters of what the user writes into settings (amplifier_browser/preferences.py, saved_prompts.py). */
export const LONGEST_SYSTEM_PROMPT = 2000;
export const LONGEST_PROMPT_TITLE = 60;
export const LONGEST_PROMPT = 4000;
