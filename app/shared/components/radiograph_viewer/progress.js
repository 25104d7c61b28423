// How far the batch is, what failed, what was not taken, and a way to stop waiting.
class Progress {
  // on: { cancel(), open(key) }
  constructor(root, on) {
    Object.assign(this, { root, on });
    root.addEventListener("click", (event) => {
      if (event.target.matches(".cancel")) on.cancel();
      if (event.target.matches(".dismiss")) this.#dismiss();
      const row = event.target.closest("[data-key]");
      if (row) on.open(row.dataset.key);
    });
  }

  fill(progress) {
    this.progress = progress;
    const remark = progress?.remark && progress.remark !== this.dismissed ? progress.remark : "";
    this.root.hidden = !progress || !(remark || progress.is_running || progress.failed.length);
    if (this.root.hidden) return this.root.replaceChildren();
    const wasOpen = this.root.querySelector("details.failed")?.open ?? false;
    const { text, can_cancel: canCancel, failed } = progress;
    this.root.replaceChildren(element("span", { role: "status", text }));
    if (canCancel) this.root.append(element("button", { type: "button", class: "quiet cancel", text: "Cancel the rest" }));
    if (failed.length) {
      const rows = failed.map(({ key, name, message }) => element("li", {}, element("button", { type: "button", class: "quiet", "data-key": key, text: name }), ` ${message}`));
      this.root.append(element("details", { class: "failed", open: wasOpen }, element("summary", { text: `${failed.length} not analysed` }), element("ul", {}, ...rows)));
    }
    if (remark) this.root.append(element("p", { class: "remark", role: "status" }, `${remark} `, element("button", { type: "button", class: "quiet dismiss", text: "OK" })));
  }

  // The remark was read: it does not come back before another one does.
  #dismiss() {
    this.dismissed = this.progress.remark;
    this.fill(this.progress);
  }
}
