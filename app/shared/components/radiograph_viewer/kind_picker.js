// The choice of class and ISO 6520-1 number by a single key: digits within the class, a letter for another class.
import { element, onButton } from "../element.js";

const CLASS_KEYS = { porosity: "p", crack: "c", inclusion: "i", "lack of fusion": "f", "lack of penetration": "l", undercut: "u", unclassified: "x" };

export class KindPicker {
  // on: { chosen(class, code), closed() }
  constructor(root, on) {
    this.on = on;
    this.root = element("div", { class: "picker", role: "dialog", "aria-label": "Class and ISO 6520-1 number", tabindex: "-1", hidden: true });
    root.append(this.root);
    this.root.addEventListener("keydown", (event) => this.#key(event));
    onButton(this.root, ({ class: name, code, isClass }) => this.#take(name, code ?? null, Boolean(isClass)));
  }

  open(name, kinds, title) {
    Object.assign(this, { kinds, title });
    this.#show(name);
    this.root.hidden = false;
    this.root.focus();
  }

  close() {
    if (this.root.hidden) return;
    this.root.hidden = true;
    this.on.closed();
  }

  #show(name) {
    this.name = name;
    const { group, kinds } = this.kinds[name] ?? { group: null, kinds: [] };
    const row = (key, text, data) => element("button", { type: "button", ...data }, element("kbd", { text: key }), ` ${text}`);
    const plain = group ? `${name}, kind not said (${group})` : name;
    this.root.replaceChildren(
      element("p", { text: this.title }),
      element("div", { class: "kinds" }, row("0", plain, { "data-class": name }),
        ...kinds.map(([code, kind], i) => row(String(i + 1), `${kind} (${code})`, { "data-class": name, "data-code": code }))),
      element("div", { class: "classes" }, ...Object.entries(CLASS_KEYS).filter(([other]) => other !== name)
        .map(([other, key]) => row(key, other, { "data-class": other, "data-is-class": "1" }))),
      element("p", { class: "hint", text: name === "porosity" ? "A porosity is not evaluable until its kind is said. Esc closes." : "Esc closes." }),
    );
  }

  #take(name, code, isClass) {
    if (isClass && this.kinds[name]?.kinds.length) {
      this.#show(name);
      this.root.focus();
      return;
    }
    this.root.hidden = true;
    this.on.chosen(name, code);
  }

  #key(event) {
    event.stopPropagation();
    const { kinds = [] } = this.kinds[this.name] ?? {};
    const key = event.key.toLowerCase();
    const other = Object.keys(CLASS_KEYS).find((name) => CLASS_KEYS[name] === key);
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key === "escape") this.close();
    else if (key === "0") this.#take(this.name, null, false);
    else if (kinds[Number(key) - 1]) this.#take(this.name, kinds[Number(key) - 1][0], false);
    else if (other) this.#take(other, null, true);
    else return;
    event.preventDefault();
  }
}
