// The tool strip: one tab stop, arrows move within it (the toolbar pattern of WAI-ARIA).
import { onButton } from "../element.js";

export class Toolbar {
  // on: { act(name), preset(number), filter(name) }
  constructor(root, on) {
    this.root = root;
    this.$ = (query) => root.querySelector(query);
    onButton(root, ({ tool, act }) => on.act(tool ? `tool:${tool}` : act));
    this.$(".preset").addEventListener("change", (event) => on.preset(event.target.value));
    this.$(".filter").addEventListener("change", (event) => on.filter(event.target.value));
    root.addEventListener("keydown", (event) => this.#key(event));
    root.addEventListener("focusin", (event) => { if (event.target.matches("button, select")) this.#enter(event.target); });
    this.#enter(this.#stops()[0]);
  }

  #stops() { return [...this.root.querySelectorAll("button, select")].filter((node) => node.checkVisibility?.() ?? true); }

  #enter(node) { for (const stop of this.root.querySelectorAll("button, select")) stop.tabIndex = stop === node ? 0 : -1; }

  #key(event) {
    const stops = this.#stops();
    const at = stops.indexOf(event.target);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: stops.length - 1 }[event.key];
    if (at < 0 || to === undefined || event.shiftKey) return;
    stops[(to + stops.length) % stops.length].focus();
    event.preventDefault();
    event.stopPropagation();
  }

  press(act, isPressed) { this.$(`[data-act="${act}"]`).setAttribute("aria-pressed", String(isPressed)); }

  showTool(tool) {
    for (const button of this.root.querySelectorAll("[data-tool]")) button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
  }
}
