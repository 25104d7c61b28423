// Runs inline before Streamlit's own code: the theme of the whole product, its words while the server is away, and for
// files that it did not take in.
{
  // Streamlit's own service lies at the root of the origin, whichever page is opened. Streamlit looks for it below the page's
  // address first, and writes two errors into the console, unless it is told.
  Object.assign(window, { __streamlit: { BACKEND_BASE_URL: location.origin } });

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

  // A chooser of files only turns red when the server does not take a file; this says which, and why, once for all.
  const UPLOADS = "/_stcore/upload_file/";
  const LOST = "The connection was lost on the way. Nothing of it was stored: hand it in again.";
  const NAMED = 3;
  const TOGETHER_MS = 3000;
  const STYLE = { position: "fixed", top: "3.5rem", left: "50%", transform: "translateX(-50%)", zIndex: 1000000,
    display: "flex", gap: "1rem", alignItems: "start", maxWidth: "min(46rem, 92vw)", padding: "0.75rem 1rem",
    background: "#1a1d20", color: "#e6e8ea", border: "1px solid #2c3136", borderLeft: "4px solid #e0564f", borderRadius: "4px",
    font: "14px/1.45 'Source Sans', system-ui, sans-serif" };
  const CLOSE = { color: "inherit", background: "none", border: "0", cursor: "pointer", font: "inherit", padding: "0 0.25rem" };
  const uploads = new WeakSet();
  let underWay = 0;
  let endedAt = 0;
  let refused = [];
  let notice = null;
  const tell = (why) => {
    const more = refused.length > NAMED ? ` and ${refused.length - NAMED} more` : "";
    notice?.remove();
    notice = document.createElement("div");
    notice.setAttribute("role", "alert");
    notice.dataset.testid = "rk-refused-uploads";
    Object.assign(notice.style, STYLE);
    const text = document.createElement("span");
    text.textContent = `Not taken in: ${refused.slice(0, NAMED).join(", ")}${more}. ${why}`;
    const close = document.createElement("button");
    close.textContent = "Close";
    Object.assign(close.style, CLOSE);
    close.addEventListener("click", () => notice.remove());
    notice.append(text, close);
    document.body.append(notice);
  };
  const watch = (request, body) => {
    const file = body instanceof FormData ? [...body.values()].find((one) => one instanceof File) : null;
    if (underWay === 0 && performance.now() - endedAt > TOGETHER_MS) {
      refused = [];
      notice?.remove();
    }
    underWay += 1;
    const refuse = (why) => {
      refused.push(file?.name ?? "a file");
      tell(why);
    };
    request.addEventListener("error", () => refuse(LOST));
    request.addEventListener("load", () => { if (request.status >= 400) refuse(request.responseText.trim()); });
    request.addEventListener("loadend", () => {
      underWay -= 1;
      endedAt = performance.now();
    });
  };
  const { open, send } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.open = function opened(method, address, ...rest) {
    if (method.toUpperCase() === "PUT" && String(address).includes(UPLOADS)) uploads.add(this);
    open.call(this, method, address, ...rest);
  };
  XMLHttpRequest.prototype.send = function sent(body) {
    if (uploads.has(this)) watch(this, body);
    send.call(this, body);
  };
}
