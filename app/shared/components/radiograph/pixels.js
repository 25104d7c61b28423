// The samples of a radiograph, first a small preview, then full depth; the pictures made of them, and their window.
import { clahe, highPass } from "./filters.js";
import { levelAndNoise } from "./noise.js";
import { Picture } from "./picture.js";
import { histogramOf, percentileOf, regionStatistics } from "./statistics.js";
import { inTurns } from "./turns.js";

export const FILTERS = { none: "no filter", clahe: "CLAHE", highpass: "high-pass" };
const CLAHE_BINS = 1024;
const CLAHE_CLIP = 3;
const KEPT_COUNTS = 200;
const KEPT_SOURCES = 3;
export const WINDOW_PRESETS = { 1: [0.005, 0.995], 2: [0, 1], 3: [0.1, 0.9], 4: [0.005, 0.5], 5: [0.5, 0.995] }; // fractions of the samples

class PixelSource {
  constructor(image) {
    this.image = image;
    this.width = image.width;
    this.height = image.height;
    this.values = null; // full depth only: what is measured
    this.pictures = new Map(); // by filter
    this.filter = "none";
    this.slope = 1;
    this.offset = 0;
    this.isFloat = image.bit_depth > 16; // then the samples are steps of the values, see `app.shared.payloads`
    this.counted = new Map();
  }

  get isFull() { return this.values !== null; }
  get picture() { return this.pictures.get(this.filter); }
  get window() { return this.picture.window; }

  // Full depth, which `take` puts on show; `onPreview` is called when a shrunken copy can be shown before.
  async load(signal, onPreview) {
    if (await this.#loadPreview(signal)) onPreview();
    const answer = await this.#fetch(this.image.pixels_url, signal);
    const { values, width, height, levels } = answer;
    if (width !== this.width || height !== this.height) throw new Error("the pixels are of another size");
    return { ...answer, picture: await inTurns(Picture.build(values, width, height, levels), signal) };
  }

  async #loadPreview(signal) {
    if (!this.image.preview_url) return false;
    const answer = await this.#fetch(this.image.preview_url, signal).catch((error) => {
      if (error.name === "AbortError") throw error;
      return null; // full depth follows anyhow
    });
    if (!answer) return false;
    const { values, width, height, levels } = answer;
    const histogram = await inTurns(histogramOf(values, levels), signal);
    const level = { values, width, height, scaleX: this.width / width, scaleY: this.height / height };
    if (this.isFull) return true;
    Object.assign(this, { slope: answer.slope, offset: answer.offset, levels });
    this.pictures.set("none", new Picture([level], histogram));
    return true;
  }

  take({ picture, values, slope, offset, levels }) {
    Object.assign(this, { values, slope, offset, levels });
    this.pictures.set("none", picture);
  }

  async #fetch(url, signal) {
    const response = await fetch(url, { signal, credentials: "same-origin" });
    if (!response.ok) throw new Error(`the pixels answered ${response.status}`);
    const header = (name) => Number(response.headers.get(name));
    const [bits, width, height] = [header("X-Sample-Bits"), header("X-Width"), header("X-Height")];
    const buffer = await response.arrayBuffer();
    const values = bits === 8 ? new Uint8Array(buffer) : new Uint16Array(buffer);
    if (values.length !== width * height) throw new Error("the pixels came incomplete");
    return { values, width, height, slope: header("X-Slope") || 1, offset: header("X-Offset"), levels: bits === 8 ? 256 : 65536 };
  }

  // Shows the picture of a filter, made once per image; the window of each filter is its own.
  async use(filter, signal) {
    const { invert } = this.window;
    if (!this.pictures.has(filter)) {
      const values = await inTurns(this.#filtered(filter), signal);
      const picture = await inTurns(Picture.build(values, this.width, this.height, 65536), signal);
      const [from, to] = filter === "clahe" ? [0, 1] : [0.002, 0.998];
      picture.setWindow(percentileOf(picture.histogram, from), percentileOf(picture.histogram, to), invert);
      this.pictures.set(filter, picture);
    }
    this.filter = filter;
    const { lo, hi, invert: was } = this.window;
    if (was !== invert) this.picture.setWindow(lo, hi, invert);
  }

  #filtered(filter) {
    const { values, width, height } = this;
    if (filter === "highpass") return highPass(values, width, height, { side: this.highPassSide, gain: this.levels === 256 ? 64 : 1 });
    const { low, high } = this.pictures.get("none");
    const table = new Uint16Array(this.levels);
    const bins = Math.min(CLAHE_BINS, this.levels);
    for (let v = low; v <= high; v += 1) table[v] = Math.round(((v - low) * (bins - 1)) / Math.max(1, high - low));
    const side = Math.max(64, Math.min(width, height) / 6);
    const count = (size) => Math.min(24, Math.max(1, Math.round(size / side)));
    return clahe(values, width, height, { levels: bins, tilesX: count(width), tilesY: count(height), clip: CLAHE_CLIP, top: 65535, table });
  }

  get highPassSide() { return 2 * Math.floor(Math.max(31, Math.min(this.width, this.height) / 12) / 2) + 1; }

  get filterName() { return this.filter === "highpass" ? `${FILTERS.highpass} ${this.highPassSide} px` : FILTERS[this.filter]; }

  // --- window -------------------------------------------------------------------------------
  usePreset(number, invert = this.window.invert) {
    const [from, to] = WINDOW_PRESETS[number];
    this.picture.setWindow(percentileOf(this.picture.histogram, from), percentileOf(this.picture.histogram, to), invert);
  }

  invert() {
    const { lo, hi, invert } = this.window;
    this.picture.setWindow(lo, hi, !invert);
  }

  // "W 3675 L 2228"
  get windowText() {
    const [from, to] = [this.displayed(this.window.lo), this.displayed(this.window.hi)];
    const number = (value) => (Math.abs(this.slope) < 1 && this.filter === "none" ? value.toPrecision(4) : Math.round(value));
    return `W ${number(to - from)} L ${number((from + to) / 2)}${this.filter === "none" ? "" : " of the filtered radiograph"}`;
  }

  // The window of the picture as recorded, in units of the image: holds whatever its samples stand for.
  get recordedWindow() {
    const { lo, hi, invert } = this.pictures.get("none").window;
    return { lo: this.offset + this.slope * lo, hi: this.offset + this.slope * hi, invert };
  }

  set recordedWindow({ lo, hi, invert }) {
    this.pictures.get("none").setWindow((lo - this.offset) / this.slope, (hi - this.offset) / this.slope, invert);
  }

  // In units of the image for the picture as recorded; a filtered picture has no unit.
  displayed(sample) { return this.filter === "none" ? this.offset + this.slope * sample : sample; }

  // --- values -------------------------------------------------------------------------------
  // Of the samples as recorded, see `regionStatistics` and `levelAndNoise`; each region is counted once.
  statistics(region) { return this.#once("statistics", region, regionStatistics); }
  noise(region) { return this.#once("noise", region, levelAndNoise); }

  #once(name, region, count) {
    const key = [name, ...Object.values(region)].join();
    if (this.counted.size > KEPT_COUNTS) this.counted.clear();
    if (!this.counted.has(key)) this.counted.set(key, count(this.values, this.width, region, this));
    return this.counted.get(key);
  }

  valueAt(x, y) { return this.offset + this.slope * this.values[y * this.width + x]; }
}

// The last few radiographs with their pixels, so that going back is instant.
export class RecentSources {
  constructor() { this.sources = new Map(); }

  get(image) {
    const source = this.sources.get(image.sha256) ?? new PixelSource(image);
    this.sources.delete(image.sha256);
    this.sources.set(image.sha256, source);
    for (const sha256 of [...this.sources.keys()].slice(0, -KEPT_SOURCES)) this.sources.delete(sha256);
    return source;
  }
}
