// The places of two readings beside the pair: a row each, under the heading of its kind; one is chosen.
import { element } from "../element.js";

const STEPS = { ArrowUp: -1, ArrowDown: 1, ArrowLeft: -1, ArrowRight: 1 };

export class PlaceList {
  // choose(): another place is the chosen one, or none.
  constructor(root, choose) {
    Object.assign(this, { root, choose, places: [], chosen: null });
    root.addEventListener("click", (event) => this.#open(event.target.closest("[data-index]")));
    root.addEventListener("keydown", (event) => this.#key(event));
  }

  get place() { return this.places[this.chosen] ?? null; }

  // places: { group, mark, first, second, difference, focus, first_n, second_n } in order of their groups.
  // nothing: told where there is none.
  update(places, nothing = "Neither of you reports an indication.") {
    this.places = places;
    this.root.hidden = false;
    this.root.replaceChildren(...this.#rows());
    if (!places.length) this.root.append(element("p", { class: "nothing", text: nothing }));
  }

  #rows() {
    const counts = new Map();
    for (const { group } of this.places) counts.set(group, (counts.get(group) ?? 0) + 1);
    return this.places.flatMap((place, index) => {
      const row = element("div", { class: "place", role: "option", tabindex: "-1", "data-index": String(index), title: place.difference },
        element("i", { text: place.mark }), element("span", { class: "of-first", text: place.first }), element("span", { class: "of-second", text: place.second }),
        element("small", { text: place.difference }));
      const isNew = index === 0 || this.places[index - 1].group !== place.group;
      return isNew ? [element("h4", { text: `${place.group} (${counts.get(place.group)})` }), row] : [row];
    });
  }

  step(by) {
    const last = this.places.length - 1;
    if (last >= 0) this.mark(Math.max(0, Math.min(last, (this.chosen ?? -1) + by)));
  }

  // Marks a place as the chosen one and shows it; null chooses none.
  mark(index) {
    this.chosen = index;
    for (const row of this.root.querySelectorAll("[data-index]")) {
      const isChosen = Number(row.dataset.index) === index;
      row.setAttribute("aria-selected", String(isChosen));
      row.tabIndex = isChosen || (index === null && row.dataset.index === "0") ? 0 : -1;
      if (isChosen) row.scrollIntoView({ block: "nearest" });
    }
    this.choose();
  }

  #open(row) {
    if (!row) return;
    this.mark(Number(row.dataset.index));
    row.focus();
  }

  #key(event) {
    const step = STEPS[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    this.step(step);
    this.root.querySelector("[aria-selected=true]")?.focus();
    event.preventDefault();
    event.stopPropagation();
  }
}
