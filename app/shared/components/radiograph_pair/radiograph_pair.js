// One source of pixels and two stages, which show the same part of it under the same window.
import { mounted } from "../mounted.js";
import { BoxLayer } from "../radiograph/boxes.js";
import { HeatMaps } from "../radiograph/heat_map.js";
import { Measures } from "../radiograph/measures.js";
import { RecentSources, WINDOW_PRESETS } from "../radiograph/pixels.js";
import { Stage } from "../radiograph/stage.js";
import { PlaceList } from "./place_list.js";
import { linesPath, measuredLabel, overlaps, paintLabel, rectanglePath, stroke, strokeOnShadow } from "../radiograph/strokes.js";

const ACCENTS = { first: "#4fa3e0", second: "#f0a13c" };
const RECORDED_COLOUR = "#f2f4f6";
const MISSED_COLOUR = "#e8d44d";
const NOTED_COLOUR = "#d48ae8";
const PAIR_KEYS = { "=": "fit", z: "one", "+": "in", "-": "out", i: "invert", t: "recorded", n: "noted", b: "below", g: "map", p: "back", ArrowLeft: "previous", ArrowRight: "next" };

const PLACE_COLOUR = "#ffffff";
const CORNER_PX = 14;
const AROUND_PX = 9;
const NOTED_PX = 2; // a noted box lies around the box that it is about

// Four corners of a frame, open between them: they hide neither the frame nor what lies in it.
function cornersOf([x0, y0, x1, y1]) {
  const across = Math.min(CORNER_PX, (x1 - x0) / 3);
  const down = Math.min(CORNER_PX, (y1 - y0) / 3);
  return linesPath(...[[x0, y0, across, down], [x1, y0, -across, down], [x0, y1, across, -down], [x1, y1, -across, -down]]
    .flatMap(([x, y, dx, dy]) => [[[x, y], [x + dx, y]], [[x, y], [x, y + dy]]]));
}

// The boxes of one version, with the recorded ones below them. The place that is open stands within corners, its
// recorded box is thick, and only that one bears its class where there is no room for more.
class ComparedBoxes extends BoxLayer {
  constructor(viewport) {
    super(viewport);
    this.recorded = [];
    this.isRecordedShown = true;
    this.noted = []; // boxes that somebody wrote a note about
    this.isNotedShown = true;
    this.open = null; // number of the recorded box at the open place
    this.place = null; // what encloses all that is there, image px
  }

  paint(context) {
    const recorded = this.isRecordedShown ? this.recorded.toSorted((a, b) => this.#isOpen(a) - this.#isOpen(b)) : [];
    for (const box of recorded) this.#paintRecorded(context, box);
    const noted = this.isNotedShown ? this.noted.map((box) => ({ ...box, frame: this.#notedFrame(box) })).filter(({ frame }) => frame) : [];
    for (const { frame } of noted) strokeOnShadow(context, rectanglePath(frame), 4, 2, NOTED_COLOUR, [5, 3]);
    super.paint(context);
    for (const box of this.shown) if (!box.is_hit) this.#strike(context, box);
    for (const box of recorded.toReversed()) if (box.is_missed) this.#labelMissed(context, box);
    for (const box of noted) this.#labelNoted(context, box);
    const frame = this.place && this.frameOf({ box: this.place });
    if (frame) strokeOnShadow(context, cornersOf(frame.map((value, index) => value + (index < 2 ? -AROUND_PX : AROUND_PX))), 4.5, 2.5, PLACE_COLOUR);
  }

  #isOpen({ n }) { return n === this.open; }

  #recordedFrame(box) { return this.frameOf(box)?.map((value, index) => value + (index < 2 ? 2 : -2)); }

  #paintRecorded(context, box) {
    const frame = this.#recordedFrame(box);
    if (!frame) return;
    const colour = box.is_missed ? MISSED_COLOUR : RECORDED_COLOUR;
    if (this.#isOpen(box)) strokeOnShadow(context, rectanglePath(frame), 6, 3.5, colour);
    else strokeOnShadow(context, rectanglePath(frame), 3, 1.25, colour);
  }

  // Leaves the label out where another one stands already, except at the open place: the colour has to do.
  #labelMissed(context, box) {
    const frame = this.#recordedFrame(box);
    if (!frame || (frame[2] - frame[0] <= 16 && !this.#isOpen(box))) return;
    const below = this.#isOpen(box) ? AROUND_PX + 3 : 3;
    const label = { ...measuredLabel(context, `missed: ${box.class}`, this.#isOpen(box)), x: frame[0], y: frame[3] + below };
    if (!this.#isOpen(box) && this.taken.some((other) => overlaps(label, other))) return;
    this.taken.push(label);
    paintLabel(context, label);
  }

  #notedFrame(box) { return this.frameOf(box)?.map((value, index) => value + (index < 2 ? -NOTED_PX : NOTED_PX)); }

  // The label gives way to others; the box alone says that something was written.
  #labelNoted(context, { frame, label: text }) {
    const label = { ...measuredLabel(context, text), x: frame[0] };
    const places = [frame[3] + AROUND_PX, frame[3] + AROUND_PX + label.height + 2, frame[1] - AROUND_PX - label.height].map((y) => ({ ...label, y }));
    const place = places.find((one) => !this.taken.some((other) => overlaps(one, other)));
    if (!place) return;
    this.taken.push(place);
    paintLabel(context, place);
  }

  // A false call is crossed once, from corner to corner.
  #strike(context, box) {
    const frame = this.frameOf(box);
    if (frame) stroke(context, linesPath([[frame[0], frame[3]], [frame[2], frame[1]]]), 1, this.accent);
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
    this.maps = new HeatMaps(() => this.#showMaps());
    this.preset = "1";
    this.list = new PlaceList(this.$(".places"), () => this.#showPlace());
    this.recent = new RecentSources();
    this.stages = Object.fromEntries(Object.keys(ACCENTS).map((side) => [side, this.#stage(side)]));
    root.addEventListener("click", (event) => { const name = event.target.closest("[data-act]")?.dataset.act; if (name) this.act(name); });
    root.addEventListener("keydown", (event) => this.#key(event));
    this.$(".preset").addEventListener("change", (event) => this.usePreset(event.target.value));
    this.$(".opacity").addEventListener("input", () => this.#showMaps());
  }

  #stage(side) {
    const stage = new Stage(this.$(`[data-side=${side}] canvas`), new Measures(() => {}), () => "", {
      select: (n) => this.#pick(side, n), hover: (text) => { this.$(".at").textContent = text; },
      window: () => this.#windowChanged("own"), view: () => this.#viewChanged(side),
    });
    stage.boxes = new ComparedBoxes(stage.viewport);
    stage.boxes.accent = ACCENTS[side];
    return stage;
  }

  destroy() {
    this.loading?.abort();
    this.each((stage) => stage.destroy());
  }

  each(act) { for (const [side, stage] of Object.entries(this.stages)) act(stage, side); }

  // --- data in ------------------------------------------------------------------------------
  update(data) {
    const before = this.data;
    this.data = data;
    this.$(".where").textContent = data.where;
    this.root.classList.toggle("readings", Boolean(data.places));
    const noted = data.noted ?? [];
    for (const part of this.root.querySelectorAll(".of-notes")) part.hidden = !noted.length;
    if (data.legend) this.$(".legend.of-readings").textContent = data.legend;
    if (!data.places) this.focus = data.focus;
    this.root.classList.toggle("stacked", data.image.width > 1.5 * data.image.height);
    this.each((stage, side) => {
      this.$(`[data-side=${side}] figcaption`).textContent = data[side].title;
      this.$(`[data-side=${side}] figcaption`).title = data[side].title;
      stage.canvas.setAttribute("aria-label", `Radiograph, ${data[side].title}`);
      stage.boxes.selected = data[side].selected;
      stage.boxes.open = data.open ?? null;
      stage.boxes.place = data.places ? null : data.focus;
      stage.boxes.noted = noted;
      const missed = new Set(data[side].missed);
      stage.boxes.recorded = data.recorded.map((box) => ({ ...box, is_missed: missed.has(box.n) }));
    });
    this.#showBoxes();
    this.#showMaps();
    if (data.places) this.#updatePlaces(before);
    if (before?.image.sha256 !== data.image.sha256) this.#load();
    else if (JSON.stringify(before.focus) !== JSON.stringify(data.focus)) this.act("back");
  }

  // --- places of two readings -----------------------------------------------------------------
  #updatePlaces(before) {
    const isSame = JSON.stringify(before?.places) === JSON.stringify(this.data.places);
    if (!isSame) this.list.update(this.data.places, this.data.nothing);
    if (!isSame || this.list.chosen === null) this.list.mark(this.data.places.length ? 0 : null);
    else this.#markPlace();
  }

  // Centres both stages on the place and selects its boxes; the side without one says so.
  #showPlace() {
    this.focus = this.list.place?.focus ?? null;
    this.#markPlace();
    this.act("back");
  }

  #markPlace() {
    const { place, chosen } = this.list;
    this.each((stage, side) => {
      stage.boxes.selected = place?.[`${side}_n`] ?? null;
      if (this.source) this.#note(side, place && stage.boxes.selected === null ? "nothing reported at this place" : "");
    });
    this.$(".where").textContent = place ? `${chosen + 1} of ${this.data.places.length} · ${place.difference}` : "";
  }

  // A click on a box chooses its place, where there are places.
  #pick(side, n) {
    const index = n === null ? -1 : (this.data.places ?? []).findIndex((place) => place[`${side}_n`] === n);
    if (index >= 0) this.list.mark(index);
    else this.select(side, n);
  }

  async #load() {
    this.loading?.abort();
    this.loading = new AbortController();
    const { signal } = this.loading;
    this.root.dataset.ready = "0";
    this.each((stage, side) => {
      this.#note(side, "loading the pixels");
      stage.hide();
    });
    const source = this.recent.get(this.data.image);
    try {
      if (!source.isFull) source.take(await source.load(signal, () => this.#show(source)));
      if (signal.aborted) return;
      this.#show(source);
      this.root.dataset.ready = "1";
      this.#showMaps();
      if (this.data.places) this.#showPlace();
    } catch (error) {
      if (error.name !== "AbortError") this.each((_, side) => this.#note(side, `the radiograph cannot be shown: ${error.message}`));
    }
  }

  // The window and, unless another place was asked for, the part of the image stay as they were.
  #show(source) {
    const view = this.source === source ? this.stages.first.viewport.state : null;
    this.source = source;
    this.isSetting = true;
    this.each((stage) => stage.show(source, view ?? undefined));
    this.isSetting = false;
    this.usePreset(this.preset === "own" ? "1" : this.preset);
    if (!view) this.act("back");
  }

  #note(side, text) {
    const note = this.$(`[data-side=${side}] .note`);
    note.textContent = text;
    note.hidden = !text;
  }

  #showBoxes() {
    this.each((stage, side) => {
      stage.boxes.shown = this.data[side].boxes.filter((box) => !box.is_below && !box.is_member);
      stage.boxes.aside = this.data[side].boxes.filter((box) => box.is_member);
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
    this.$(".zoom").textContent = from.zoomText;
  }

  usePreset(number) {
    if (!this.source?.picture) return;
    this.source.usePreset(number);
    this.#windowChanged(number);
  }

  #windowChanged(preset) {
    this.preset = preset;
    this.$(".wl").textContent = this.source.windowText;
    this.$(".preset").value = preset;
    this.$("[data-act=invert]").setAttribute("aria-pressed", String(this.source.window.invert));
    this.each((stage) => stage.redraw());
  }

  // --- boxes and maps -------------------------------------------------------------------------
  select(side, n) {
    this.stages[side].boxes.selected = n;
    this.stages[side].redraw();
    this.#showMaps();
  }

  #showMaps() {
    if (this.data.places) return;
    this.$(".opacity").hidden = !this.isMapOn;
    this.each((stage, side) => {
      const n = stage.boxes.selected;
      const entry = this.isMapOn && n !== null ? this.maps.get(`${this.data[side].map_url}&box=${n}`) : null;
      stage.map = entry?.map ?? null;
      stage.mapLook = { opacity: Number(this.$(".opacity").value), asContours: false };
      this.#note(side, this.isMapOn ? (entry?.text("map") ?? "map: this version has no box here; select one") : "");
      stage.redraw();
    });
  }

  // --- actions of the user --------------------------------------------------------------------
  act(name) {
    if (name === "previous" || name === "next") this.#step(name === "next" ? 1 : -1);
    if (!this.source?.picture) return;
    const { viewport } = this.stages.first;
    const actions = {
      fit: () => viewport.fit(), one: () => viewport.showOneToOne(), in: () => viewport.zoomAt(1.25), out: () => viewport.zoomAt(0.8),
      back: () => { if (this.focus) viewport.centre(this.focus); else viewport.fit(); },
      invert: () => { this.source.invert(); this.#windowChanged(this.preset); },
      recorded: () => this.each(({ boxes }) => { boxes.isRecordedShown = this.#toggled("recorded", !boxes.isRecordedShown); }),
      noted: () => this.each(({ boxes }) => { boxes.isNotedShown = this.#toggled("noted", !boxes.isNotedShown); }),
      below: () => { this.isBelowShown = this.#toggled("below", !this.isBelowShown); this.#showBoxes(); },
      map: () => { this.isMapOn = this.#toggled("map", !this.isMapOn); this.#showMaps(); },
    };
    actions[name]?.();
    this.each((stage) => stage.redraw());
  }

  #step(by) {
    if (this.data.places) this.list.step(by);
    else this.trigger("step", by);
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

export default mounted((parent) => new Pair(parent.querySelector(".pair")));
