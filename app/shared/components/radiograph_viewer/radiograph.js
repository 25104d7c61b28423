// The radiograph on show: its pixels, window, filter and scale, kept per image.
import { labelOf, readingOf } from "../radiograph/measures.js";
import { FILTERS, RecentSources } from "../radiograph/pixels.js";
import { percentileOf, regionHistogram, regionOf } from "../radiograph/statistics.js";
import { recall, remember } from "./memory.js";

const KEEP_AFTER_MS = 150;

export class Radiograph {
  // on: { shown(), window(), view(), scale(), message(text) }
  constructor(root, stage, measures, on) {
    Object.assign(this, { root, stage, measures, on });
    this.$ = (query) => root.querySelector(query);
    this.recent = new RecentSources();
    this.image = null;
    this.entered = null; // { lengthMm, lengthPx } of a scale that the user entered
    this.chosen = "1"; // a window preset, or "own"
    this.work = ""; // says that something is being computed
    this.readings = new WeakMap();
  }

  destroy() {
    this.loading?.abort();
    this.#keepNow();
  }

  get source() { return this.stage.source; }

  // --- loading ------------------------------------------------------------------------------
  // Takes the image off, so that its pixels never stand under the name of the next one.
  clear() {
    this.#keepNow();
    this.loading?.abort();
    this.image = null;
    this.work = "";
    this.stage.hide();
    this.root.dataset.ready = "0";
    for (const part of [".wl", ".at", ".zoom", ".scale"]) this.$(part).textContent = "";
  }

  // Other facts about the same image.
  renew(image) {
    this.image = image;
    this.readings = new WeakMap();
    this.#showScale();
  }

  async load(image) {
    this.clear();
    this.image = image;
    this.loading = new AbortController();
    const { signal } = this.loading;
    const kept = recall(`view.${image.sha256}`) ?? {};
    this.entered = kept.scale ?? null;
    this.measures.replace(kept.measures);
    this.#showScale();
    const source = this.recent.get(image);
    try {
      if (source.isFull) this.#show(source, kept.view);
      else {
        const full = await source.load(signal, () => this.#begin(source, kept, "preview"));
        const now = this.source ? { window: source.recordedWindow, preset: this.chosen } : null;
        source.take(full);
        if (now) this.#firstWindow(source, now);
        else this.#begin(source, kept);
      }
      this.#ready("1");
      if (kept.filter && kept.filter !== source.filter) await this.use(kept.filter);
    } catch (error) {
      if (error.name !== "AbortError") this.on.message(`The radiograph cannot be shown: ${error.message}. Your upload is safe; reload the page.`);
    }
  }

  #begin(source, kept, ready) {
    this.#firstWindow(source, kept);
    this.#show(source, kept.view);
    if (ready) this.#ready(ready);
  }

  #firstWindow(source, { window: own, preset }) {
    this.chosen = own && preset ? preset : "1";
    if (this.chosen === "own") source.recordedWindow = own;
    else source.usePreset(this.chosen, own?.invert ?? false);
  }

  #show(source, view) {
    this.stage.show(source, view);
    this.#showWindow();
    this.viewChanged();
  }

  #ready(how) {
    this.root.dataset.ready = how;
    this.readings = new WeakMap();
    this.#showWindow();
    this.stage.redraw();
    this.on.shown();
  }

  // Zoom, window and measures of an image survive a reload of the page, in this browser tab only.
  keep() {
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => this.#keepNow(), KEEP_AFTER_MS);
  }

  #keepNow() {
    clearTimeout(this.keeping);
    const { source } = this;
    if (!source?.isFull || source.image.sha256 !== this.image?.sha256) return;
    remember(`view.${source.image.sha256}`, {
      view: this.stage.viewport.state, window: source.recordedWindow, preset: this.chosen, filter: source.filter, measures: this.measures.kept, scale: this.entered,
    });
  }

  // --- window and filter --------------------------------------------------------------------
  preset(number) {
    if (!this.source) return;
    this.source.usePreset(number);
    this.windowChanged(number);
  }

  setWindow(lo, hi, preset) {
    this.source.picture.setWindow(lo, hi, this.source.window.invert);
    this.windowChanged(preset);
  }

  // 0.5 to 99.5 % of what lies in a dragged region of the picture on show.
  windowOfRegion(a, b) {
    const { source } = this;
    const region = regionOf(a, b, source.width, source.height);
    if (!region) return;
    const { levels, valueCount } = source.picture;
    const counts = regionHistogram(levels[0].values, source.width, region, valueCount);
    this.setWindow(percentileOf(counts, 0.005), percentileOf(counts, 0.995), "own");
  }

  invert() {
    this.source.invert();
    this.windowChanged(this.chosen);
  }

  windowChanged(preset) {
    this.chosen = preset;
    this.#showWindow();
    this.stage.redraw();
    this.keep();
    this.on.window();
  }

  nextFilter() {
    const names = Object.keys(FILTERS);
    this.use(names[(names.indexOf(this.source.filter) + 1) % names.length]);
  }

  async use(filter) {
    const { source } = this;
    if (!source?.isFull) return;
    const { signal } = this.loading;
    this.work = source.pictures.has(filter) ? "" : `Computing ${FILTERS[filter]}`;
    this.on.shown();
    try {
      await source.use(filter, signal);
    } catch (error) {
      if (error.name === "AbortError") return;
      throw error;
    } finally { this.work = ""; }
    if (source !== this.source) return;
    this.windowChanged(filter === "none" ? this.chosen : "own");
    this.on.shown();
  }

  async reset() {
    this.stage.viewport.reset();
    if (this.source.filter !== "none") await this.use("none");
    this.source.usePreset("1", false);
    this.windowChanged("1");
  }

  #showWindow() {
    const { source } = this;
    if (!source?.picture) return;
    this.$(".wl").textContent = source.windowText;
    this.$("[data-act=invert]").setAttribute("aria-pressed", String(source.window.invert));
    this.$(".preset").value = this.chosen;
    this.$(".filter").value = source.filter;
  }

  viewChanged() {
    if (!this.source) return;
    this.$(".zoom").textContent = this.stage.viewport.zoomText;
    this.keep();
    this.on.view();
  }

  // The ways in which the picture on show differs from the recorded one.
  differences() {
    const { source } = this;
    if (!source?.picture) return [];
    return [
      !source.isFull && "preview, full depth is loading", source.filter !== "none" && source.filterName,
      source.window.invert && "inverted", ...this.stage.viewport.differences(),
    ].filter(Boolean);
  }

  // --- scale and readings -------------------------------------------------------------------
  // { mmPerPx, source, isEntered } or null.
  get scale() {
    if (this.entered) {
      const { lengthMm, lengthPx } = this.entered;
      return { mmPerPx: lengthMm / lengthPx, source: `entered by the user: ${lengthMm} mm = ${lengthPx.toFixed(1)} px`, isEntered: true };
    }
    const { image } = this;
    return image?.mm_per_px ? { mmPerPx: image.mm_per_px, source: image.pitch_source, isEntered: false } : null;
  }

  // Takes a known length, or null to forget it; returns the event for Python.
  enterScale(entered, isBatch = false) {
    this.entered = entered;
    this.readings = new WeakMap();
    this.keep();
    this.#showScale();
    this.on.scale();
    return {
      sha256: this.image.sha256, mm_per_px: entered ? entered.lengthMm / entered.lengthPx : null,
      length_mm: entered?.lengthMm ?? null, length_px: entered?.lengthPx ?? null, is_batch: isBatch,
    };
  }

  // The server tells the scale that follows; a length that was drawn counts no more.
  typePitch(typed, isBatch) {
    this.entered = null;
    this.keep();
    return { sha256: this.image.sha256, typed, is_batch: isBatch };
  }

  #showScale() {
    this.$(".scale").title = this.scale?.source ?? "";
    this.$(".scale").textContent = this.scale ? `${this.scale.mmPerPx.toPrecision(3)} mm/px, ${this.scale.source}` : "scale unknown";
  }

  // The text beside a measure or a draft on the image.
  label(measure) { return this.source?.isFull ? labelOf(measure, this.source, this.scale) : ""; }

  // The reading of a measure in the recorded values; null before full depth is there.
  reading(measure) {
    const { source, scale, image } = this;
    if (!source?.isFull || !image) return null;
    const background = this.measures.get(this.measures.background);
    const known = this.readings.get(measure);
    if (known && known.background === background) return known.reading;
    const reading = readingOf(measure, source, { scale, background, image });
    this.readings.set(measure, { reading, background });
    return reading;
  }
}
