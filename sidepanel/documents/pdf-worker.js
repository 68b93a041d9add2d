// pdf.js's own Worker, which reads the file; parse-worker.js starts it.
import "../../background/network-guard.js";
import "pdfjs-dist/build/pdf.worker.mjs";
