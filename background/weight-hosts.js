// Where models are downloaded from: besides the package's own files all that the extension connects to, but for a server that the
// user names (engines/server.js). Both pages say the same in a policy of their own.

/** In the form of a policy's sources. */
export const WEIGHT_HOSTS = [
  "https://huggingface.co",
  "https://*.huggingface.co",
  "https://*.hf.co",
  "https://raw.githubusercontent.com",
];
