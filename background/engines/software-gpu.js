/** Whether a graphics card is none, but computed by the processor. @param {GPUAdapter} adapter */
export function isSoftware({ info }) {
  const { isFallbackAdapter } = /** @type {{isFallbackAdapter?: boolean}} */ (info);
  return Boolean(isFallbackAdapter) || info.architecture === "swiftshader";
}
