// A table of records: a row is a link; a plain click or Enter is reported instead of followed.
import { ChoiceList } from "../choice_list.js";
import { element } from "../element.js";
import { mounted } from "../mounted.js";

const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1e6, End: 1e6 };

class RecordTable extends ChoiceList {
  constructor(root) { super(root, "tbody a", STEPS); }

  update(data) {
    const wasDrawn = this.content;
    super.update(data);
    const open = this.root.querySelector("tr[aria-selected=true] a");
    if (this.content !== wasDrawn && open && document.activeElement === document.body) open.focus(); // whoever opened it goes on from there
  }

  draw({ columns, rows, label, below }) {
    this.root.style.maxHeight = `calc(100vh - ${below}px)`;
    const heads = columns.map((text) => element("th", { scope: "col", text }));
    this.root.replaceChildren(element("table", { "aria-label": label },
      element("thead", {}, element("tr", {}, element("th", { class: "picture", "aria-label": "radiograph" }), ...heads)),
      element("tbody", {}, ...rows.map((row) => this.#row(row)))));
    this.root.scrollTop = 0;
  }

  #row({ key, address, label, thumbnail, cells }) {
    const picture = element("td", { class: "picture" });
    if (thumbnail) picture.append(element("img", { src: thumbnail, alt: "", loading: "lazy", decoding: "async" }));
    const row = element("tr", { "data-key": key }, picture, ...cells.map(({ text, more, mark, is_long: isLong }, index) => {
      const first = index === 0 ? element("a", { href: address, "aria-label": label, text }) : element("span", { text });
      return element("td", { class: mark || (isLong ? "long" : null) }, first, ...(more ? [element("small", { text: more })] : []));
    }));
    row.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      this.open(key);
    });
    return row;
  }
}

export default mounted((parent) => new RecordTable(parent.querySelector(".records")));
