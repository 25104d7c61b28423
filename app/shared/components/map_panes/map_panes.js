// Maps of one part of a radiograph side by side; moving or zooming one moves all.
import { element } from "../element.js";
import { mounted } from "../mounted.js";

const MOST_ZOOM = 16, STEP = 1.25, PAN_SHARE = 0.1;
const PANS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

class MapPanes {
  constructor(root) {
    this.root = root;
    this.#fit();
  }

  // panes: { title, lines, overlay, box } each, the box as left, top, width, height in fractions of the part or null; picture: of the part.
  update({ panes, picture, width, height }) {
    this.root.replaceChildren(...panes.map((pane) => this.#pane(pane, picture, width / height)));
    this.#fit();
  }

  #pane({ title, lines, overlay, box }, picture, aspect) {
    const frame = element("i", { hidden: !box });
    ["left", "top", "width", "height"].forEach((side, number) => { frame.style[side] = `${100 * (box?.[number] ?? 0)}%`; });
    const images = [picture, overlay].filter(Boolean).map((src) => element("img", { src, alt: "", draggable: "false" }));
    const sheet = element("div", { class: "sheet" }, ...images, frame);
    const stage = element("div", { class: "stage", tabindex: "0", role: "application", "aria-label": `${title}: map` }, sheet);
    stage.style.aspectRatio = String(aspect);
    this.#listen(stage);
    const text = lines.map((line) => element("span", { text: `${line} ` }));
    return element("figure", {}, stage, element("figcaption", {}, element("b", { text: title }), ...text));
  }

  #listen(stage) {
    stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      const place = stage.getBoundingClientRect();
      this.#zoom(event.deltaY < 0 ? STEP : 1 / STEP, (event.clientX - place.left) / place.width, (event.clientY - place.top) / place.height);
    }, { passive: false });
    stage.addEventListener("pointerdown", (event) => stage.setPointerCapture(event.pointerId));
    stage.addEventListener("pointermove", (event) => {
      if (stage.hasPointerCapture(event.pointerId)) this.#pan(event.movementX / stage.clientWidth, event.movementY / stage.clientHeight);
    });
    stage.addEventListener("dblclick", () => this.#fit());
    stage.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const pan = PANS[event.key];
      if (pan) this.#pan(PAN_SHARE * pan[0], PAN_SHARE * pan[1]);
      else if (event.key === "+") this.#zoom(STEP, 0.5, 0.5);
      else if (event.key === "-") this.#zoom(1 / STEP, 0.5, 0.5);
      else if (event.key === "=") this.#fit();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  #fit() {
    this.look = { zoom: 1, x: 0, y: 0 };
    this.#show();
  }

  // x, y: what stays where it is, as fractions of a pane.
  #zoom(by, x, y) {
    const { zoom } = this.look, next = Math.min(MOST_ZOOM, Math.max(1, zoom * by));
    this.look = { zoom: next, x: x - ((x - this.look.x) * next) / zoom, y: y - ((y - this.look.y) * next) / zoom };
    this.#show();
  }

  #pan(x, y) {
    this.look = { ...this.look, x: this.look.x + x, y: this.look.y + y };
    this.#show();
  }

  #show() {
    const { zoom } = this.look, least = 1 - zoom;
    const x = Math.min(0, Math.max(least, this.look.x)), y = Math.min(0, Math.max(least, this.look.y));
    this.look = { zoom, x, y };
    for (const sheet of this.root.querySelectorAll(".sheet")) sheet.style.transform = `translate(${100 * x}%, ${100 * y}%) scale(${zoom})`;
  }
}

export default mounted((parent) => new MapPanes(parent.querySelector(".panes")));
