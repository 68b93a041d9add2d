// The panel's page without the panel: only what Python may ask of it.
import { createHost } from "../../sidepanel/host.js";

window.host = createHost();
window.hostWithSandboxes = createHost({ sandboxes: { "sandbox.start": async ({ name }) => `started ${name}` } });
