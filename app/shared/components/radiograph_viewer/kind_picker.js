// The choice of class and kind, beside the row: an ISO 6520-1 number that is typed is taken exactly, letters narrow the
// list. Everything typed stays here.
import { element } from "../element.js";
import { isNumber } from "./kinds.js";

const GAP_PX = 8;

// One line for each kind: { code, name, class }; for each class one without a kind, last for what is in no class.
// kinds: see `kinds_by_class`; own: classes that an admin added, which stand last.
export function kindLines(kinds, own = []) {
  const ownLines = own.filter((one) => one.is_offered).map(({ code, name, class: of }) => ({ code, class: of, name, own_class: code }));
  return Object.entries(kinds).flatMap(([name, { words, group, kinds: finer }]) => {
    const lines = finer.map(([code, kind]) => ({ code, class: name, name: kind }));
    const ofClass = { code: null, class: name, name: words, group };
    return name === "unclassified" ? [...lines, ofClass] : [ofClass, ...lines];
  }).concat(ownLines);
}

const shownCode = ({ code, group, own_class: own }) => own ?? (isNumber(code) ? code : code ? "" : (group ?? ""));

// What the typed text leaves of the lines: by the beginning of a number, or by words of the name.
export function matching(lines, text) {
  const typed = text.trim().toLowerCase();
  if (/^\d+$/.test(typed)) return lines.filter((line) => shownCode(line).startsWith(typed)).toSorted((a, b) => shownCode(a).length - shownCode(b).length);
  const words = typed.split(/\s+/).filter(Boolean);
  return lines.filter(({ name, class: of, own_class: own }) => words.every((word) => `${name} ${of} ${own ?? ""}`.toLowerCase().split(/[\s,()-]+/).some((part) => part.startsWith(word))));
}

// The class and number that were typed: exactly this number, or null and why in one line.
function typedNumber(numbers, text) {
  const code = text.trim();
  const found = numbers.find((one) => one.code === code);
  return found ? { line: found, wrong: "" } : { line: null, wrong: `ISO 6520-1 no. ${code} is not known here: choose from the list, or Esc.` };
}

export class KindPicker {
  // on: { chosen(class, code), closed() }
  constructor(root, on) {
    this.on = on;
    this.bench = root;
    this.title = element("p");
    this.field = element("input", { "aria-label": "ISO 6520-1 number or name", placeholder: "number, e.g. 2011, or a name", maxlength: 40, autocomplete: "off", role: "combobox", "aria-expanded": "true", "aria-controls": "kinds" });
    this.hint = element("p", { class: "hint" });
    this.wrong = element("p", { class: "wrong", role: "alert" });
    this.list = element("div", { class: "kinds", id: "kinds", role: "listbox", "aria-label": "Classes and numbers" });
    this.root = element("div", { class: "picker", role: "dialog", "aria-label": "Class and ISO 6520-1 number", hidden: true },
      this.title, this.field, this.wrong, this.list, this.hint);
    root.append(this.root);
    this.field.addEventListener("input", () => this.#show());
    this.root.addEventListener("keydown", (event) => this.#key(event));
    this.root.addEventListener("keyup", (event) => event.stopPropagation());
    this.root.addEventListener("focusout", ({ relatedTarget }) => { if (!this.root.contains(relatedTarget)) this.#hide(); });
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const at = event.target.closest("[data-at]")?.dataset.at;
      if (at) this.#take(this.matches[Number(at)]);
    });
  }

  // kinds, numbers: as Python told them. row: the row that it is about, null for none.
  open(name, { kinds, numbers, own_classes: own }, title, row) {
    Object.assign(this, { lines: kindLines(kinds, own), numbers, name });
    const isNumbered = numbers.some(({ code }) => isNumber(code));
    this.field.placeholder = isNumbered ? "number, e.g. 2011, or a name" : "name, e.g. gas hole";
    this.hint.textContent = `${isNumbered ? "A number is taken as typed; letters" : "Letters"} narrow the list. Enter takes, Esc closes.`;
    this.title.textContent = title;
    this.field.value = "";
    this.root.hidden = false;
    this.#show();
    this.#place(row);
    this.field.focus();
  }

  close() {
    if (this.root.hidden) return;
    this.#hide();
    this.on.closed();
  }

  #hide() { this.root.hidden = true; }

  // To the left of the row, never over the decision below the list.
  #place(row) {
    const [bench, panel] = [this.bench, this.bench.querySelector(".panel")].map((node) => node.getBoundingClientRect());
    const isBeside = panel.left - bench.left > this.root.offsetWidth + GAP_PX;
    const top = (row?.isConnected ? row.getBoundingClientRect().top : panel.top) - bench.top;
    const room = bench.height - this.root.offsetHeight - GAP_PX;
    this.root.style.left = `${isBeside ? panel.left - bench.left - this.root.offsetWidth - GAP_PX : Math.max(0, panel.left - bench.left)}px`;
    this.root.style.top = `${isBeside ? Math.max(GAP_PX, Math.min(top, room)) : panel.top - bench.top}px`;
  }

  #show() {
    const text = this.field.value;
    this.matches = matching(this.lines, text);
    this.wrong.textContent = this.matches.length || isNumber(text.trim()) ? "" : "Nothing here is called so.";
    this.at = text ? 0 : Math.max(0, this.matches.findIndex(({ class: name, code }) => name === this.name && !code));
    this.list.replaceChildren(...this.matches.map((line, at) => element("div", { role: "option", "data-at": at, "data-code": line.code ?? "", class: line.code ? null : "of-class" },
      ...(shownCode(line) ? [element("kbd", { text: shownCode(line) })] : []), ` ${line.name}`)));
    this.#mark();
  }

  #mark() {
    for (const [at, option] of [...this.list.children].entries()) option.setAttribute("aria-selected", String(at === this.at));
    this.list.children[this.at]?.scrollIntoView({ block: "nearest" });
  }

  #key(event) {
    event.stopPropagation();
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      this.at = Math.max(0, Math.min(this.matches.length - 1, this.at + step));
      this.isMoved = true;
      this.#mark();
    } else if (event.key === "Enter") this.#enter();
    else if (event.key === "Escape") this.close();
    else {
      this.isMoved = false;
      return;
    }
    event.preventDefault();
  }

  // A typed number is taken as it stands, not for the beginning of another one.
  #enter() {
    const text = this.field.value.trim();
    if (/^\d+$/.test(text) && !this.isMoved) {
      const own = this.lines.find((one) => one.own_class === text);
      const { line, wrong } = own ? { line: own, wrong: "" } : typedNumber(this.numbers, text);
      if (line) this.#take(line);
      this.wrong.textContent = wrong;
    } else if (this.matches.length) this.#take(this.matches[this.at]);
    else this.wrong.textContent = `Nothing is called "${text}": choose from the list, or Esc.`;
  }

  #take({ class: name, code, own_class: own }) {
    this.isMoved = false;
    this.root.hidden = true;
    this.on.chosen(name, own ? null : code, own);
  }
}
