// Glue: one source of pixels, two stages that show the same part of it under the same window.
const PAIRS = new WeakMap();
const SIDES = ["first", "second"];
const ACCENTS = { first: "#4fa3e0", second: "#f0a13c" };
const TRUTH_COLOUR = "#f2f4f6";
const MISSED_COLOUR = "#e8d44d";
const PAIR_KEYS = { "=": "fit", z: "one", "+": "in", "-": "out", i: "invert", t: "truth", b: "below", g: "map", p: "back", ArrowLeft: "previous", ArrowRight: "next" };

export default function ({ data, parentElement, setTriggerValue }) {
  let pair = PAIRS.get(parentElement);
  if (!pair) {
    pair = new Pair(parentElement.querySelector(".pair"));
    PAIRS.set(parentElement, pair);
  }
  pair.trigger = setTriggerValue;
  pair.update(data);
  return () => { pair.destroy(); PAIRS.delete(parentElement); };
}

// The boxes of one version, with the recorded ones below them; those that this version missed stand out.
class ComparedBoxes extends BoxLayer {
  constructor(viewport) {
    super(viewport);
    this.truth = [];
    this.isTruthShown = true;
  }

  paint(context) {
    this.taken = [];
    if (this.isTruthShown) for (const one of this.truth) this.#paintTruth(context, one);
    super.paint(context);
    for (const box of this.shown) if (!box.is_hit) this.#strike(context, box);
  }

  #paintTruth(context, one) {
    const frame = this.frameOf(one);
    if (!frame) return;
    const [x0, y0, x1, y1] = frame.map((value, index) => value + (index < 2 ? 2 : -2));
    context.setLineDash([]);
    context.lineWidth = one.is_missed ? 4.5 : 3;
    context.strokeStyle = "rgba(0, 0, 0, 0.6)";
    context.strokeRect(x0, y0, x1 - x0, y1 - y0);
    context.lineWidth = one.is_missed ? 2.5 : 1.25;
    context.strokeStyle = one.is_missed ? MISSED_COLOUR : TRUTH_COLOUR;
    context.strokeRect(x0, y0, x1 - x0, y1 - y0);
    if (one.is_missed && x1 - x0 > 16) this.#labelMissed(context, `missed: ${one.class}`, x0, y1 + 3);
  }

  // Where another label stands already, the thick frame says it alone.
  #labelMissed(context, text, x, y) {
    context.font = `500 ${LABEL_FONT}`;
    const place = { text, x, y, width: context.measureText(text).width + 10, height: 17 };
    const isFree = (other) => place.x >= other.x + other.width || other.x >= place.x + place.width || place.y >= other.y + 17 || other.y >= place.y + 17;
    if (!this.taken.every(isFree)) return;
    this.taken.push(place);
    paintLabel(context, place);
  }

  // A false call is crossed once, from corner to corner.
  #strike(context, box) {
    const frame = this.frameOf(box);
    if (!frame) return;
    context.setLineDash([]);
    context.lineWidth = 1;
    context.strokeStyle = this.accent;
    context.beginPath();
    context.moveTo(frame[0], frame[3]); context.lineTo(frame[2], frame[1]);
    context.stroke();
  }
}

class Pair {
  constructor(root) {
    this.root = root;
    this.$ = (query) => root.querySelector(query);
    this.data = null;
    this.source = null;
    this.isBelowShown = false;
    this.isMapOn = false;
    this.maps = new Map(); // address -> { map } | { words }
    this.preset = "1";
    this.recent = new RecentSources();
    this.stages = Object.fromEntries(SIDES.map((side) => [side, this.#stage(side)]));
    root.addEventListener("click", (event) => { const name = event.target.closest("[data-act]")?.dataset.act; if (name) this.act(name); });
    root.addEventListener("keydown", (event) => this.#key(event));
    this.$(".preset").addEventListener("change", (event) => this.usePreset(event.target.value));
    this.$(".opacity").addEventListener("input", () => this.#showMaps());
  }

  #stage(side) {
    const measures = { list: [], selected: null, get: () => undefined, kept: {}, select() {} };
    const canvas = this.$(`[data-side=${side}] canvas`);
    const stage = new Stage(canvas, measures, () => "", {
      select: (n) => this.select(side, n), hover: (at) => this.#showValue(at), hoverBox() {}, handle() {}, drawn() {},
      window: () => this.#windowChanged("own"), view: () => this.#viewChanged(side),
    });
    stage.boxes = new ComparedBoxes(stage.viewport);
    stage.boxes.accent = ACCENTS[side];
    return stage;
  }

  destroy() {
    this.loading?.abort();
    for (const stage of Object.values(this.stages)) stage.destroy();
  }

  each(what) { for (const side of SIDES) what(this.stages[side], side); }

  // --- data in ------------------------------------------------------------------------------
  update(data) {
    const text = JSON.stringify(data);
    if (this.text === text) return;
    const before = this.data;
    Object.assign(this, { text, data });
    this.$(".words").textContent = data.words;
    this.root.classList.toggle("stacked", data.image.width > 1.5 * data.image.height);
    this.each((stage, side) => {
      this.$(`[data-side=${side}] figcaption`).textContent = data[side].title;
      stage.boxes.selected = data[side].selected;
      const missed = new Set(data[side].missed);
      stage.boxes.truth = data.truth.map((one) => ({ ...one, is_missed: missed.has(one.n) }));
    });
    this.#showBoxes();
    if (before?.image.sha256 !== data.image.sha256) this.#load();
    else if (JSON.stringify(before.focus) !== JSON.stringify(data.focus)) this.act("back");
    this.#showMaps();
  }

  async #load() {
    this.loading?.abort();
    this.loading = new AbortController();
    const { signal } = this.loading;
    const { image } = this.data;
    this.root.dataset.ready = "0";
    this.#note("loading the pixels");
    this.each((stage) => stage.hide());
    const source = this.recent.get(image);
    try {
      if (!source.isFull) {
        if (await source.loadPreview(signal)) this.#show(source);
        source.take(await source.fetchFull(signal));
      }
      if (signal.aborted) return;
      this.#show(source);
      this.root.dataset.ready = "1";
      this.#note("");
    } catch (error) {
      if (error.name !== "AbortError") this.#note(`the radiograph cannot be shown: ${error.message}`);
    }
  }

  // The window and, unless another place was asked for, the part of the image stay what they were.
  #show(source) {
    const view = this.source === source ? this.stages.first.viewport.state : null;
    this.source = source;
    this.isSetting = true;
    this.each((stage) => stage.show(source, view ?? undefined));
    this.isSetting = false;
    this.usePreset(this.preset === "own" ? "1" : this.preset);
    if (!view) this.act("back");
  }

  #note(text) {
    this.each((_, side) => { const note = this.$(`[data-side=${side}] .note`); note.textContent = text; note.hidden = !text; });
  }

  #showBoxes() {
    this.each((stage, side) => {
      stage.boxes.shown = this.data[side].boxes.filter((box) => !box.is_below);
      stage.boxes.below = this.isBelowShown ? this.data[side].boxes.filter((box) => box.is_below) : [];
      stage.redraw();
    });
  }

  // --- view and window ------------------------------------------------------------------------
  #viewChanged(side) {
    if (this.isSetting || !this.stages) return;
    const from = this.stages[side].viewport;
    this.isSetting = true;
    this.each((stage, other) => {
      if (other === side) return;
      stage.viewport.state = { ...from.state };
      if (from.state.isFitted) stage.viewport.fit();
      stage.redraw();
    });
    this.isSetting = false;
    this.$(".zoom").textContent = `${Math.round(from.zoom * (window.devicePixelRatio || 1) * 100)} %`;
  }

  usePreset(number) {
    const { source } = this;
    if (!source?.picture) return;
    const [from, to] = WINDOW_PRESETS[number];
    source.picture.setWindow(source.percentile(from), source.percentile(to), source.window.invert);
    this.#windowChanged(number);
  }

  #windowChanged(preset) {
    this.preset = preset;
    const { lo, hi, invert } = this.source.window;
    const [from, to] = [this.source.displayed(lo), this.source.displayed(hi)];
    this.$(".wl").textContent = `W ${Math.round(to - from)} L ${Math.round((from + to) / 2)}`;
    this.$(".preset").value = preset;
    this.$("[data-act=invert]").setAttribute("aria-pressed", String(invert));
    this.each((stage) => stage.redraw());
  }

  #showValue(at) { this.$(".at").textContent = at ? `x ${at.x} y ${at.y}${at.value === null ? "" : ` = ${at.value}`}` : ""; }

  // --- boxes and maps -------------------------------------------------------------------------
  select(side, n) {
    this.stages[side].boxes.selected = n;
    this.stages[side].redraw();
    this.#showMaps();
  }

  #showMaps() {
    this.$(".opacity").hidden = !this.isMapOn;
    this.each((stage, side) => {
      const n = stage.boxes.selected;
      const address = this.isMapOn && n !== null ? `${this.data[side].map_url}&box=${n}` : null;
      const known = address && this.maps.get(address);
      if (address && !known) this.#fetchMap(address);
      stage.map = known?.map ?? null;
      stage.mapLook = { opacity: Number(this.$(".opacity").value), asContours: false };
      const note = this.$(`[data-side=${side}] .note`);
      note.textContent = !this.isMapOn ? "" : n === null ? "map: this version has no box here; select one" : known ? known.words : "map: computing";
      note.hidden = !note.textContent;
      stage.redraw();
    });
  }

  #fetchMap(address) {
    this.maps.set(address, { words: "map: computing" });
    HeatMapPicture.fetch(address)
      .then((map) => this.maps.set(address, map.isEmpty ? { words: "the map is empty: nothing raised its score there" } : { map, words: "map: what raised its score" }),
        (error) => this.maps.set(address, { words: `no map: ${error.message}` }))
      .then(() => this.#showMaps());
  }

  // --- what the visitor does ------------------------------------------------------------------
  act(name) {
    const { viewport } = this.stages.first;
    if (name === "previous" || name === "next") this.trigger("step", name === "next" ? 1 : -1);
    if (!this.source?.picture) return;
    if (name === "fit") viewport.fit();
    else if (name === "one") viewport.zoomAt(1 / (window.devicePixelRatio || 1) / viewport.zoom);
    else if (name === "in" || name === "out") viewport.zoomAt(name === "in" ? 1.25 : 0.8);
    else if (name === "back") { if (this.data.focus) viewport.centre(this.data.focus); else viewport.fit(); }
    else if (name === "invert") { const { lo, hi, invert } = this.source.window; this.source.picture.setWindow(lo, hi, !invert); this.#windowChanged(this.preset); }
    else if (name === "truth") this.each((stage) => { stage.boxes.isTruthShown = this.#toggled("truth", !stage.boxes.isTruthShown); stage.redraw(); });
    else if (name === "below") { this.isBelowShown = this.#toggled("below", !this.isBelowShown); this.#showBoxes(); }
    else if (name === "map") { this.isMapOn = this.#toggled("map", !this.isMapOn); this.#showMaps(); }
  }

  #toggled(name, value) {
    this.$(`[data-act=${name}]`).setAttribute("aria-pressed", String(value));
    return value;
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select, input")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (WINDOW_PRESETS[key]) this.usePreset(key);
    else if (PAIR_KEYS[key]) this.act(PAIR_KEYS[key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
