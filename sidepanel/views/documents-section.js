/** The documents that Amplifier keeps: collections of them, a search in their names and texts, and what was just deleted. */

import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { LARGEST_COLLECTION } from "../limits.js";
import { ask, Collection } from "./collection.js";
import { SearchBox, useTextSearch } from "./document-search.js";
import { FoundPassages } from "./found-passages.js";
import { ClipIcon } from "./icons.js";
import { ImportFile } from "./import-file.js";
import { ProblemCard } from "./problem-card.js";
import { Undo } from "./undo.js";

/** @import { LibraryDocument, Problem, Settings, Store } from "../types.js" */

const DEVICES = { gpu: "the graphics card", cpu: "the processor (CPU)" };

/** @param {import("./settings-dialog.js").SectionProps} props */
export function DocumentsSection({ settings, state, store }) {
  const { documents, trouble } = settings;
  const { undo } = state;
  if (!documents) return html`<${NotListed} trouble=${trouble ?? null} />`;
  return html`<p class="settings-intro">Read and kept on this computer, so that you can ask them again.</p>
    ${trouble && html`<div class="library-trouble"><${ProblemCard} problem=${trouble} /></div>`}
    <div class="item-buttons library-buttons">
      ${
        collectionsOf(documents).length > 1 &&
        html`<button type="button" class="button" data-testid="ask-all"
        onClick=${(/** @type {Event} */ event) => ask(event, null, store)}><${ClipIcon} />Ask all documents</button>`
      }
      <${ImportFile} label="Import a collection" accept=".json,application/json" testid="collection-import" what="a collection"
        largest=${LARGEST_COLLECTION} onText=${(/** @type {string} */ text) => importCollection(text, store)} store=${store} />
    </div>
    <${Undo} undo=${undo?.command.type === "restore-documents" ? undo : null} testid="document-undo" store=${store} />
    ${
      documents.length === 0
        ? html`<p class="settings-empty">No documents yet. Attach a file to a message with the paper clip, or drop it on the
            panel: it is read and kept on this computer, and listed here.</p>`
        : html`<${Library} documents=${documents} settings=${settings} store=${store} />`
    }`;
}

/** @param {{trouble: Problem | null}} props */
function NotListed({ trouble }) {
  if (trouble) return html`<${ProblemCard} problem=${trouble} />`;
  return html`<p class="settings-empty"><span class="spinner" aria-hidden="true" /> Opening the library</p>`;
}

/** @param {{documents: LibraryDocument[], settings: Settings, store: Store}} props */
function Library({ documents, settings, store }) {
  const [query, setQuery] = useState("");
  const [chosen, setChosen] = useState(/** @type {string | null} */ (null));
  const collections = collectionsOf(documents);
  const names = collections.map(([name]) => name);
  const scope = chosen !== null && names.includes(chosen) ? chosen : null; // it may have been deleted or renamed
  const { wanted, found, searchNow } = useTextSearch({ query, scope, documents, found: settings.found ?? null, store });
  const shown = collections
    .filter(([name]) => scope === null || scope === name)
    .map(([name, members]) => ({
      name,
      size: members.length,
      members: members.filter((document) => isNamed(document, query)),
    }))
    .filter(({ members }) => members.length > 0);
  return html`<${SearchBox} query=${query} setQuery=${setQuery} scope=${scope} setScope=${setChosen} names=${names}
      onSearch=${searchNow} />
    ${
      query.trim() &&
      shown.length === 0 &&
      html`<p class="found-state" data-testid="no-name">No document has that in its name.</p>`
    }
    ${shown.map(
      ({ name, members, size }) =>
        html`<${Collection} key=${name} name=${name} documents=${members} size=${size} names=${names} store=${store} />`,
    )}
    ${
      wanted &&
      html`<${FoundPassages} query=${query} found=${found} known=${new Set(documents.map(({ id }) => id))}
        where=${scope === null ? "your documents" : `“${scope}”`} />`
    }
    ${
      settings.search_device &&
      html`<p class="item-about library-device" data-testid="search-device">Search by meaning runs on ${DEVICES[settings.search_device]}.</p>`
    }`;
}

/**
 * @param {LibraryDocument} document
 * @param {string} query
 */
function isNamed({ name }, query) {
  return name.toLowerCase().includes(query.trim().toLowerCase());
}

/**
 * @param {LibraryDocument[]} documents
 * @returns {[string, LibraryDocument[]][]} by the collection's name
 */
function collectionsOf(documents) {
  return [...Map.groupBy(documents, ({ collection }) => collection)].sort(([a], [b]) => a.localeCompare(b));
}

/**
 * @param {string} text
 * @param {Store} store
 */
function importCollection(text, store) {
  store.dispatch({ type: "announce", text: "Importing" });
  store.send({ type: "import-collection", text });
}
