// The panel's part of the sandboxes by itself: a test calls it and takes what it would tell Python.

import { createSandboxes } from "../../../sidepanel/sandboxes.js";

const messages = [];
const calls = createSandboxes((message) => messages.push(message));
window.take = () => messages.splice(0);
window.call = (name, args) => calls[name](args);
