// The batch of images: a strip to choose from, and how far it is analysed.
import { element, onButton } from "../element.js";

const PROGRESS_MARKS = { returned: "↩", signed: "✓", assessed: "◑", waiting: "○" };
const DOTS = { ready: "●", working: "◔", waiting: "○", failed: "✕", cancelled: "–", asked: "?" };

export class BatchStrip {
  // on: { open(key), remove(key) }
  constructor(root, on) {
    this.root = root;
    this.on = on;
    this.batch = [];
  }

  fill(batch, current) {
    Object.assign(this, { batch, current });
    this.root.hidden = batch.length < 2;
    this.root.replaceChildren(...batch.map((item) => this.#item(item)));
    this.root.querySelector("[aria-current=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  #item(item) {
    const open = element("button", {
      type: "button", class: "open", "data-state": item.state, "data-progress": item.progress || null, "data-key": item.key, "aria-current": String(item.key === this.current), title: item.title,
    });
    open.append(item.thumbnail_url ? element("img", { src: item.thumbnail_url, alt: "", loading: "lazy" }) : element("span", { class: "img" }));
    const read = item.progress && item.state === "ready" ? `${PROGRESS_MARKS[item.progress]} ${item.progress}` : `${DOTS[item.state]} ${item.summary}`;
    open.append(element("span", { class: "label", text: item.name }), element("span", { class: "dot", text: read }));
    open.addEventListener("click", () => this.on.open(item.key));
    const remove = element("button", { type: "button", class: "remove", text: "×", "aria-label": `Take ${item.name} off the worklist`, title: "Take off the worklist" });
    remove.addEventListener("click", () => this.on.remove(item.key));
    return element("div", { class: "item" }, open, remove);
  }

  step(by) {
    const next = this.batch[this.batch.findIndex((item) => item.key === this.current) + by];
    if (next) this.on.open(next.key);
  }
}

export class BatchProgress {
  // on: { cancel(), open(key) }
  constructor(root, on) {
    Object.assign(this, { root, on });
    onButton(root, ({ act, key }) => {
      if (act === "cancel") on.cancel();
      else if (act === "dismiss") this.#dismiss();
      else on.open(key);
    });
  }

  fill(progress) {
    this.progress = progress;
    const remark = progress?.remark === this.dismissed ? "" : progress?.remark;
    this.root.hidden = !progress || !(remark || progress.is_running || progress.failed.length);
    if (this.root.hidden) return this.root.replaceChildren();
    const wasOpen = this.root.querySelector("details.failed")?.open ?? false;
    const { text, can_cancel: canCancel, failed } = progress;
    this.root.replaceChildren(element("span", { role: "status", text, title: progress.title || null }));
    if (canCancel) this.root.append(element("button", { type: "button", class: "quiet cancel", "data-act": "cancel", text: "Cancel the rest" }));
    if (failed.length) {
      const rows = failed.map(({ key, name, message }) => element("li", {}, element("button", { type: "button", class: "quiet", "data-key": key, text: name }), ` ${message}`));
      this.root.append(element("details", { class: "failed", open: wasOpen }, element("summary", { text: `${failed.length} not analysed` }), element("ul", {}, ...rows)));
    }
    if (remark) this.root.append(element("p", { class: "remark", role: "status" }, `${remark} `, element("button", { type: "button", class: "quiet", "data-act": "dismiss", text: "OK" })));
  }

  // The remark was read: it does not come back before another one does.
  #dismiss() {
    this.dismissed = this.progress.remark;
    this.fill(this.progress);
  }
}
