// How far the batch is, what failed, and a way to stop waiting.
class Progress {
  // on: { cancel(), open(key) }
  constructor(root, on) {
    Object.assign(this, { root, on });
    root.addEventListener("click", (event) => {
      if (event.target.matches(".cancel")) on.cancel();
      const row = event.target.closest("[data-key]");
      if (row) on.open(row.dataset.key);
    });
  }

  fill(progress) {
    this.root.hidden = !progress;
    if (!progress) return this.root.replaceChildren();
    const wasOpen = this.root.querySelector("details")?.open ?? false;
    const { text, can_cancel: canCancel, failed } = progress;
    this.root.replaceChildren(element("span", { role: "status", text }));
    if (canCancel) this.root.append(element("button", { type: "button", class: "quiet cancel", text: "Cancel the rest" }));
    if (failed.length) {
      const rows = failed.map(({ key, name, message }) => element("li", {}, element("button", { type: "button", class: "quiet", "data-key": key, text: name }), ` ${message}`));
      this.root.append(element("details", { open: wasOpen }, element("summary", { text: `${failed.length} not analysed` }), element("ul", {}, ...rows)));
    }
  }
}
