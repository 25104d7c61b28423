// Small pictures with boxes: a click or Enter opens one, arrow keys go from one to the next.
import { ChoiceList } from "../choice_list.js";
import { element } from "../element.js";
import { mounted } from "../mounted.js";

const STEPS = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1, Home: -1e6, End: 1e6 };

class BoxGallery extends ChoiceList {
  constructor(root) { super(root, "button", STEPS); }

  // ticked: keys of the pictures that bear a tick; null shows nothing to tick.
  update({ ticked, ...data }) {
    super.update({ ...data, isTicking: ticked !== null });
    for (const tick of this.root.querySelectorAll("input")) tick.checked = ticked.includes(tick.dataset.of);
  }

  draw({ items, label, narrow, above, isTicking }) {
    this.root.style.setProperty("--above", `${above}px`);
    this.root.classList.toggle("narrow", narrow);
    this.root.setAttribute("aria-label", label);
    this.root.replaceChildren(...items.map((item) => (isTicking ? this.#withTick(item) : this.#button(item))));
  }

  mark(key) {
    super.mark(key);
    this.root.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }

  #withTick(item) {
    const tick = element("input", { type: "checkbox", "data-of": item.key, "aria-label": `Tick ${item.caption}, ${item.more}`, title: "Tick the image, to send it to labelling" });
    tick.addEventListener("change", () => this.trigger("tick", item.key));
    return element("div", { class: "ticked" }, this.#button(item), tick);
  }

  #button({ key, picture, rectangle: [left, top, right, bottom], boxes, caption, more }) {
    const [width, height] = [Math.max(1, right - left), Math.max(1, bottom - top)];
    const image = element("img", { src: picture, alt: "", loading: "lazy", decoding: "async" });
    const frame = element("div", { class: `frame loading ${width >= height ? "wide" : "tall"}` }, image,
      ...boxes.map(({ box: [x0, y0, x1, y1], kind }) => boxOf((x0 - left) / width, (y0 - top) / height, (x1 - x0) / width, (y1 - y0) / height, kind)));
    frame.style.aspectRatio = String(width / height);
    image.addEventListener("load", () => frame.classList.remove("loading"));
    const button = element("button", { type: "button", role: "option", "data-key": key, title: `${caption}\n${more}` },
      element("div", { class: "picture" }, frame), element("span", { text: caption }), element("small", { text: more }));
    button.addEventListener("click", () => this.open(key));
    return button;
  }
}

// As fractions of the picture.
function boxOf(left, top, width, height, kind) {
  const percent = (fraction) => `${100 * fraction}%`;
  const box = element("i", { class: kind });
  Object.assign(box.style, { left: percent(left), top: percent(top), width: percent(width), height: percent(height) });
  return box;
}

export default mounted((parent) => new BoxGallery(parent.querySelector(".gallery")));
