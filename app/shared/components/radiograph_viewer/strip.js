// The images of the batch.
const DOTS = { ready: "●", working: "◔", waiting: "○", failed: "✕", cancelled: "–" };

class Strip {
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
      type: "button", class: "open", "data-state": item.state, "data-key": item.key, "aria-current": String(item.key === this.current), title: item.title,
    });
    open.append(item.thumbnail_url ? element("img", { src: item.thumbnail_url, alt: "", loading: "lazy" }) : element("span", { class: "img" }));
    open.append(element("span", { class: "label", text: item.name }), element("span", { class: "dot", text: `${DOTS[item.state]} ${item.summary}` }));
    open.addEventListener("click", () => this.on.open(item.key));
    const remove = element("button", { type: "button", class: "remove", text: "×", "aria-label": `Take ${item.name} off the table`, title: "Take off the table" });
    remove.addEventListener("click", () => this.on.remove(item.key));
    return element("div", { class: "item" }, open, remove);
  }

  step(by) {
    const next = this.batch[this.batch.findIndex((item) => item.key === this.current) + by];
    if (next) this.on.open(next.key);
  }
}
