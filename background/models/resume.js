// What the service worker does about downloads: where some are wanted, it sees to it that there is a document to fetch them.

import { ensureDocument } from "../offscreen-document.js";
import { openStore } from "./store.js";

export async function resumeDownloads() {
  const store = await openStore(() => {});
  const records = await store.records();
  store.close();
  if (records.some(({ wish }) => wish === "wanted")) await ensureDocument();
}
