/** The search in the documents: names are filtered as one types, the texts are searched on Enter or when one pauses. */

import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import { SearchIcon } from "./icons.js";
import { isPlainEnter } from "./keys.js";

/** @import { FoundPassages, LibraryDocument, Store } from "../types.js" */

/** How long one must have stopped typing. */
const PAUSE_MS = 400;
/** With fewer letters nearly every text would be found; Enter searches them all the same. */
const FEWEST_LETTERS = 3;
const LONGEST_QUERY = 300;

/**
 * @param {object} props
 * @param {string} props.query
 * @param {(query: string) => void} props.setQuery
 * @param {string | null} props.scope the collection that is searched; null: all
 * @param {(scope: string | null) => void} props.setScope
 * @param {string[]} props.names of the collections
 * @param {() => void} props.onSearch
 */
export function SearchBox({ query, setQuery, scope, setScope, names, onSearch }) {
  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    if (event.key === "Escape" && query) {
      event.preventDefault(); // it leaves the search, not the settings
      setQuery("");
    } else if (isPlainEnter(event)) {
      event.preventDefault();
      onSearch();
    }
  }

  /** @param {Event & {currentTarget: HTMLSelectElement}} event */
  const choose = ({ currentTarget: { selectedIndex } }) => setScope(names[selectedIndex - 1] ?? null);
  return html`<div class="library-search" role="search">
    <div class="search-field"><${SearchIcon} />
      <input type="search" class="field" data-testid="document-search" dir="auto" value=${query} maxlength=${LONGEST_QUERY}
        placeholder="Search documents" aria-label="Search documents" autocomplete="off" onKeyDown=${onKeyDown}
        onInput=${(/** @type {Event & {currentTarget: HTMLInputElement}} */ event) => setQuery(event.currentTarget.value)} /></div>
    ${
      names.length > 1 &&
      html`<select class="field search-scope" data-testid="search-scope" aria-label="Collection to search" onChange=${choose}>
        <option selected=${scope === null}>All</option>
        ${names.map((name) => html`<option key=${name} selected=${scope === name}>${name}</option>`)}
      </select>`
    }
  </div>`;
}

/**
 * Has Python search the texts, and again when documents came or went or can be found by their meaning.
 *
 * @param {object} options
 * @param {string} options.query
 * @param {string | null} options.scope
 * @param {LibraryDocument[]} options.documents
 * @param {FoundPassages | null} options.found the last that Python told
 * @param {Store} options.store
 * @returns {{wanted: boolean, found: FoundPassages | null, searchNow: () => void}} whether the texts are searched, and what was
 *   found by this query
 */
export function useTextSearch({ query: typed, scope, documents, found, store }) {
  const query = typed.trim();
  const isPrepared = documents.every(({ chunks, embedded }) => embedded >= chunks);
  const key = JSON.stringify([query, scope, documents.length, isPrepared]);
  const asked = useRef({ key: "", query: "", scope: /** @type {string | null} */ (null) });

  function searchNow() {
    if (!query) return;
    asked.current = { key, query, scope };
    store.send({ type: "search-documents", query, collection: scope });
  }
  useEffect(() => {
    if (asked.current.key === key || (query.length < FEWEST_LETTERS && asked.current.query !== query)) return;
    const timer = setTimeout(() => asked.current.key !== key && searchNow(), PAUSE_MS); // unless Enter was faster
    return () => clearTimeout(timer);
  }, [key]);

  const isAsked = query !== "" && asked.current.query === query && asked.current.scope === scope;
  const isTold = found?.query === query && found.collection === scope;
  return { wanted: query.length >= FEWEST_LETTERS || isAsked, found: isTold ? found : null, searchNow };
}
