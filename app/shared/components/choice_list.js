// A list of which one item is open: a click or Enter opens one, keys move from one to the next.
export class ChoiceList {
  // focusable: selector of the parts that take the focus, one an item; steps: by key, how many items it moves on.
  constructor(root, focusable, steps) {
    Object.assign(this, { root, focusable, steps, content: null });
    root.addEventListener("keydown", (event) => this.#move(event));
  }

  // data: what `draw` makes of it, and in `chosen` the key of the item that is open.
  update({ chosen, ...data }) {
    const content = JSON.stringify(data);
    if (content !== this.content) this.draw(data);
    this.content = content;
    this.mark(chosen);
  }

  mark(key) {
    for (const item of this.root.querySelectorAll("[data-key]")) item.setAttribute("aria-selected", String(item.dataset.key === key));
  }

  open(key) {
    this.mark(key);
    this.trigger("open", key);
  }

  #move(event) {
    const step = this.steps[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    const stops = [...this.root.querySelectorAll(this.focusable)];
    const here = stops.indexOf(this.root.getRootNode().activeElement);
    const next = stops[Math.max(0, Math.min(stops.length - 1, here + step))];
    next?.focus();
    next?.closest("[data-key]").scrollIntoView({ block: "nearest" });
    event.preventDefault();
  }
}
