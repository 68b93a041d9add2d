// Makes the memory that Python's later starts begin from, and says so: see python-snapshot.js. Nothing of the user's comes here.

import "../background/network-guard.js";
import { makeSnapshot } from "./python-snapshot.js";

makeSnapshot().then(
  () => self.postMessage(""),
  (error) => self.postMessage(String(error)),
);
