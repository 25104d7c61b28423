// The head of the list: columns that sort at a click, and its filters.
import { element } from "../element.js";
import { LIST_FILTERS } from "./listing.js";

const FEW = 5; // a list that short needs no filter

export class ListHead {
  // root: the panel. on: { sort(name), filter(name, value) }
  constructor(root, on) {
    this.root = root;
    this.bar = root.querySelector(".list-filters");
    root.querySelector("thead").addEventListener("click", (event) => {
      const name = event.target.closest("th[data-sort]")?.dataset.sort;
      if (name) on.sort(name);
    });
    this.bar.addEventListener("change", ({ target }) => on.filter(target.dataset.filter, target.value));
    this.bar.addEventListener("click", (event) => { if (event.target.closest("button")) on.filter(null, ""); });
  }

  show({ entries, sort, filters, isFiltered }, isOffered) {
    for (const head of this.root.querySelectorAll("th[data-sort]"))
      head.setAttribute("aria-sort", head.dataset.sort === sort.by ? (sort.isFalling ? "descending" : "ascending") : "none");
    this.bar.hidden = !isOffered || !(entries.length > FEW || isFiltered);
    if (this.bar.hidden || this.bar.contains(this.root.getRootNode().activeElement)) return;
    const offered = LIST_FILTERS.map((filter) => ({ ...filter, values: filter.choices(entries) })).filter(({ values }) => values.length);
    const option = (name, value, text) => element("option", { value, text, selected: (filters[name] ?? "") === value });
    this.bar.replaceChildren(
      ...offered.map(({ name, all, values }) => element("select", { "data-filter": name, "aria-label": `Filter by ${name}`, class: filters[name] ? "on" : null },
        option(name, "", all), ...values.map(([value, text]) => option(name, value, text)))),
      ...(isFiltered ? [element("button", { type: "button", class: "quiet", title: "Show all of them", text: "clear" })] : []));
  }
}
