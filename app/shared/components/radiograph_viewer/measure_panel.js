// The list of measures beside the radiograph, each with its reading.
import { element } from "../element.js";
import { drawProfile } from "./plots.js";

export class MeasurePanel {
  // on: { forgetScale(), typePitch() }
  constructor(root, measures, on) {
    this.root = root;
    this.measures = measures;
    this.cards = new Map();
    this.$ = (query) => root.querySelector(query);
    this.$(".scale-forget").addEventListener("click", () => on.forgetScale());
    this.$(".scale-type").addEventListener("click", () => on.typePitch());
  }

  // reading(measure): see `readingOf`, null while full depth is not there. scale: { mmPerPx, source, isEntered } or null.
  show(reading, scale) {
    this.$(".scale-words").textContent = scale ? `${scale.mmPerPx.toPrecision(3)} mm/px, ${scale.source}` : "Scale unknown: lengths in px. Type the pixel pitch (Shift + k), or draw a known length (k).";
    this.$(".scale-forget").hidden = !scale?.isEntered;
    const { list } = this.measures;
    this.$(".measure-empty").hidden = list.length > 0;
    for (const [id, card] of this.cards) if (!this.measures.get(id)) { card.node.remove(); this.cards.delete(id); }
    for (const measure of list) {
      if (!this.cards.has(measure.id)) this.#add(measure);
      this.cards.get(measure.id).update(measure, reading(measure));
    }
  }

  #add(measure) {
    const card = new MeasureCard(measure, this.measures);
    this.cards.set(measure.id, card);
    this.$(".measures").prepend(card.node);
  }
}

class MeasureCard {
  constructor({ id, kind }, measures) {
    this.measures = measures;
    this.kind = kind;
    this.title = element("button", { type: "button", class: "measure-title" });
    this.title.addEventListener("click", () => measures.select(measures.selected === id ? null : id));
    const remove = element("button", { type: "button", class: "quiet", text: "×", "aria-label": `Delete ${id}`, title: "Delete (Del)" });
    remove.addEventListener("click", () => measures.remove(id));
    this.rows = element("dl", {});
    this.node = element("li", { class: "measure", "data-measure": id }, element("div", { class: "measure-head" }, this.title, remove), this.rows);
    if (kind === "profile") this.#addPlot(id);
    if (kind === "region") this.#addBackground(id);
  }

  #addPlot(id) {
    this.plot = element("canvas", { class: "profile-plot", role: "img" });
    this.band = element("input", { type: "number", min: 1, max: 101, step: 2, "aria-label": "Averaged over, px" });
    this.band.addEventListener("change", () => this.measures.change(id, { bandPx: Math.min(101, Math.max(1, Math.round(Number(this.band.value)) || 1)) }));
    this.node.append(this.plot, element("label", { class: "band", text: "averaged over " }, this.band, " px across"));
  }

  #addBackground(id) {
    this.background = element("button", { type: "button", class: "quiet", text: "background", title: "CNR of the other regions is taken to this one" });
    this.background.addEventListener("click", () => this.measures.compareWith(id));
    this.node.querySelector(".measure-head").insertBefore(this.background, this.node.querySelector(".quiet"));
  }

  update(measure, reading) {
    this.node.setAttribute("aria-current", String(this.measures.selected === measure.id));
    this.title.textContent = `${measure.id} · ${{ length: "length", region: "region", profile: "line profile" }[measure.kind]} ${reading ? reading.main : "…"}`;
    this.rows.replaceChildren(...(reading?.rows ?? []).flatMap(([name, text, meaning]) => [
      element("dt", { text: name, title: meaning }), element("dd", { text, title: meaning }),
    ]));
    this.background?.setAttribute("aria-pressed", String(this.measures.background === measure.id));
    if (this.plot) this.plot.hidden = !reading?.profile;
    if (!reading?.profile) return;
    if (document.activeElement !== this.band) this.band.value = measure.bandPx;
    this.plot.setAttribute("aria-label", `Line profile: ${reading.rows.map(([name, text]) => `${name} ${text}`).join(", ")}`);
    drawProfile(this.plot, reading.profile);
  }
}
