// Asks for the scale: how long a drawn line is in mm, or the pixel pitch.
import { typedPitchMm } from "./pixel_pitch.js";

export class ScaleDialog {
  // on: { entered(lengthMm, lengthPx, isBatch), typed(text, isBatch), closed() }
  constructor(root, on) {
    this.root = root;
    this.on = on;
    this.$ = (query) => root.querySelector(query);
    this.input = this.$(".scale-value");
    root.addEventListener("submit", (event) => { event.preventDefault(); this.#enter(); });
    this.input.addEventListener("input", () => this.#preview());
    this.$(".scale-cancel").addEventListener("click", () => this.close());
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
      event.stopPropagation();
    });
  }

  // nTogether: images that were handed in together, this one counted.
  open(lengthPx, nTogether) {
    this.lengthPx = lengthPx;
    this.#show(`This line is ${lengthPx.toFixed(1)} px. How long is it?`, "Length in mm", "mm", nTogether);
  }

  openTyped(nTogether) {
    this.lengthPx = null;
    this.#show("Pixel pitch of the film scan or the detector:", "Pixel pitch", "", nTogether);
  }

  #show(question, label, unit, nTogether = 1) {
    this.root.hidden = false;
    this.$(".scale-px").textContent = question;
    this.$(".scale-unit").textContent = unit;
    this.input.setAttribute("aria-label", label);
    this.input.placeholder = unit ? "" : "50 µm";
    this.input.value = "";
    this.$(".scale-batch").hidden = nTogether < 2;
    this.$(".scale-batch span").textContent = `for all ${nTogether} handed in together`;
    this.$(".scale-batch input").checked = false;
    this.#preview();
    this.input.focus();
  }

  close() {
    if (this.root.hidden) return;
    this.root.hidden = true;
    this.on.closed();
  }

  get #isTyped() { return this.lengthPx === null; }

  // mm of one px, null while nothing that can be is entered.
  get #mmPerPx() {
    if (this.#isTyped) return typedPitchMm(this.input.value);
    const mm = this.#lengthMm;
    return Number.isFinite(mm) && mm > 0 ? mm / this.lengthPx : null;
  }

  get #lengthMm() { return Number(this.input.value.replace(",", ".")); }

  #preview() {
    const mm = this.#mmPerPx;
    const [holds, asks] = this.#isTyped
      ? ["at film or detector; at the object divided by M = SFD / (SFD − b), where the setup states both", "such as 50 µm, 600 dpi or 0.05 mm"]
      : ["entered by the user; holds in the plane of that length", "a wire of an IQI, a lead ruler: a length known in mm"];
    this.$(".scale-result").textContent = mm ? `${mm.toPrecision(3)} mm/px, ${holds}` : asks;
    this.$("[type=submit]").disabled = !mm;
  }

  #enter() {
    if (!this.#mmPerPx) return;
    const isBatch = this.$(".scale-batch input").checked;
    if (this.#isTyped) this.on.typed(this.input.value.trim(), isBatch);
    else this.on.entered(this.#lengthMm, this.lengthPx, isBatch);
    this.close();
  }
}
