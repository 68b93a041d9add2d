// node keywords.mjs FILE: keyword searches by the library's own index. FILE holds {chunks, queries, limit} as JSON; prints
// for each query what the library would find.

import { readFileSync } from "node:fs";
import { KeywordIndex } from "../../../../background/library/keywords.js";

const { chunks, queries, limit } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const index = new KeywordIndex();
for (const chunk of chunks) index.add(chunk);
const found = queries.map((query) => index.search(query, limit));
process.stdout.write(JSON.stringify(found));
