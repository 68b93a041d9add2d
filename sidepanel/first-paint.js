// Runs before the page is painted, so that it is never seen in the other theme: storage that must be waited for is too late. What
// counts is in the preferences, of which theme.js keeps a copy here.

document.documentElement.dataset.theme = localStorage.getItem("theme") ?? "system";
