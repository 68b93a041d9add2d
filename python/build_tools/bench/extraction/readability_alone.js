// Readability as its own documentation shows: on a clone of the page, and what it returns as it is.

import { Readability } from "@mozilla/readability";

export function read() {
  const article = new Readability(/** @type {Document} */ (document.cloneNode(true))).parse();
  return article && { title: article.title, content: article.content };
}
