// Only the user's gestures. This worker may die at any moment and nothing may notice, so it keeps no state and no port.

chrome.sidePanel.setPanelBehavior({ openPanelOnActionClick: false });

chrome.action.onClicked.addListener((tab) => {
  // Before any await: only inside the gesture may the panel open, and only onClicked grants activeTab for the tab.
  chrome.sidePanel.open({ windowId: tab.windowId });
  // An open panel learns from this that it may now read the tab.
  chrome.storage.session.set({ granted: { tabId: tab.id, windowId: tab.windowId, at: Date.now() } });
});
