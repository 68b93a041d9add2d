// Reads memories of version 1, a JSON list, from stdin; writes what the database's upgrade makes of them.
import { readFileSync } from "node:fs";
import { apart } from "../../sidepanel/sessions-schema.js";

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(apart)));
