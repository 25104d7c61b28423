// The polarity in the status line, and the question over the image that states or changes it.
import { element, onButton } from "../element.js";

const WORDS = { film: "film", digital: "digital" };

export class PolarityBar {
  // on: { state({ key, polarity }), said(text), closed() }
  constructor(root, on) {
    Object.assign(this, { on, image: null, key: null });
    this.bar = root.querySelector(".ask-polarity");
    this.line = root.querySelector(".status .polarity");
    this.line.addEventListener("click", () => this.open());
    onButton(this.bar, ({ polarity }) => (polarity ? this.#state(polarity) : this.close()));
    this.bar.addEventListener("keydown", (event) => this.#key(event));
  }

  // image: as Python told it; key: of the image in the batch; isFixed: it is signed.
  fill(image, key, isFixed) {
    const wasAsked = this.isAsked && this.key === key;
    if (this.key !== key) this.isOpen = false;
    Object.assign(this, { image, key, isFixed, isAsked: Boolean(image?.polarity_ask) });
    const told = image?.polarity_line;
    this.line.hidden = !told;
    if (told) {
      this.line.textContent = told.text;
      this.line.title = [told.title, isFixed || told.is_stated_by_file ? "" : "Change it: p"].filter(Boolean).join(". ");
      this.line.classList.toggle("doubtful", Boolean(told.warning));
    }
    if (wasAsked && !this.isAsked) this.isOpen = false;
    this.#show();
  }

  open() {
    const told = this.image?.polarity_line;
    if (!told) return;
    if (told.is_stated_by_file) return this.on.said(`The file states the polarity: ${told.text}`);
    if (this.isFixed) return this.on.said("Signed: the polarity stays as it was signed");
    this.isOpen = true;
    this.#show();
    const other = this.image.polarity === "film" ? "digital" : "film";
    this.bar.querySelector(`[data-polarity=${other}]`).focus();
  }

  // A question that nobody answered stays.
  close() {
    this.isOpen = false;
    this.#show();
    this.on.closed();
  }

  #show() {
    const isShown = this.isAsked || this.isOpen;
    const content = isShown ? JSON.stringify([this.key, this.image.polarity, this.image.polarity_ask, this.isOpen]) : "";
    this.bar.hidden = !isShown;
    if (content === this.content) return;
    this.content = content;
    if (!isShown) return this.bar.replaceChildren();
    const { polarity, polarity_line: told } = this.image;
    const buttons = Object.entries(WORDS).map(([value, text]) => element("button", {
      type: "button", "data-polarity": value, "aria-pressed": String(polarity === value), text,
    }));
    if (!this.isAsked) buttons.push(element("button", { type: "button", class: "quiet", text: "Cancel" }));
    this.bar.replaceChildren(
      element("p", {}, element("strong", { text: "Is this a film (less metal darker) or a digital image (less metal brighter)?" })),
      element("p", { class: "why", text: this.image.polarity_ask || told.title }),
      element("div", {}, ...buttons));
  }

  #state(polarity) {
    const isNew = polarity !== this.image.polarity || this.isAsked;
    this.close();
    if (isNew) this.on.state({ key: this.key, polarity });
  }

  #key(event) {
    if (event.key !== "Escape" || this.isAsked) return;
    this.close();
    event.preventDefault();
    event.stopPropagation();
  }
}
