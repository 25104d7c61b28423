// Asks how long a drawn line is in mm.
export class ScaleDialog {
  // on: { entered(lengthMm, lengthPx), closed() }
  constructor(root, on) {
    this.root = root;
    this.on = on;
    this.input = root.querySelector("input");
    root.addEventListener("submit", (event) => { event.preventDefault(); this.#enter(); });
    this.input.addEventListener("input", () => this.#preview());
    root.querySelector(".scale-cancel").addEventListener("click", () => this.close());
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
      event.stopPropagation();
    });
  }

  open(lengthPx) {
    this.lengthPx = lengthPx;
    this.root.hidden = false;
    this.root.querySelector(".scale-px").textContent = `This line is ${lengthPx.toFixed(1)} px. How long is it?`;
    this.input.value = "";
    this.#preview();
    this.input.focus();
  }

  close() {
    if (this.root.hidden) return;
    this.root.hidden = true;
    this.on.closed();
  }

  get #lengthMm() {
    const value = Number(this.input.value.replace(",", "."));
    return Number.isFinite(value) && value > 0 ? value : null;
  }

  #preview() {
    const mm = this.#lengthMm;
    this.root.querySelector(".scale-result").textContent = mm
      ? `${(mm / this.lengthPx).toPrecision(3)} mm/px, entered by the user; holds in the plane of that length`
      : "a wire of an IQI, a lead ruler: a length known in mm";
    this.root.querySelector("[type=submit]").disabled = !mm;
  }

  #enter() {
    const mm = this.#lengthMm;
    if (!mm) return;
    this.on.entered(mm, this.lengthPx);
    this.close();
  }
}
