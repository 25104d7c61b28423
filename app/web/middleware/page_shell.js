// Runs inline before Streamlit's own code: the theme of the whole product, and its words while the server is away.
{
  // Streamlit keeps a theme for each address it was opened at. Here the last choice counts on every page; dark until then.
  const THEME = /^stActiveTheme-.*-v2$/;
  const CHOSEN = "radikal-theme";
  try {
    localStorage[`stActiveTheme-${location.pathname}-v2`] = localStorage[CHOSEN] ?? '"Dark"';
    const { setItem } = Storage.prototype;
    Storage.prototype.setItem = function setBoth(name, value) {
      setItem.call(this, name, value);
      if (THEME.test(name)) setItem.call(this, CHOSEN, value);
    };
  } catch { /* storage is forbidden: the system's theme */ }

  const OURS = [
    ["Connection error", "The server does not answer"],
    ["Is Streamlit still running?", "What was saved is safe. What you did since stays in this tab: leave it open, it is sent when the server is back. The page tries again by itself."],
    ["Streamlit server is not responding", "What was saved is safe. What you did since stays in this tab: leave it open, it is sent when the server is back. The page tries again by itself."],
    ["Cannot connect to Streamlit", "The server refuses this page. What was saved is safe. Reload the page; if that does not help, ask your administrator whether the address is the right one."],
    ["streamlit run", ""],
  ];
  // Puts our words in place of Streamlit's; React keeps its nodes.
  const reword = (dialog) => {
    const texts = document.createTreeWalker(dialog, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const node = texts.currentNode;
      const ours = OURS.find(([theirs]) => node.data.startsWith(theirs))?.[1];
      if (ours !== undefined) node.data = ours;
    }
    for (const code of dialog.querySelectorAll("pre, [data-testid=stCode]")) code.hidden = true;
  };
  new MutationObserver(() => {
    const dialog = document.querySelector("[data-testid=stDialog]");
    if (dialog?.textContent.includes("Connection error")) reword(dialog);
  }).observe(document.documentElement, { childList: true, subtree: true });
}
