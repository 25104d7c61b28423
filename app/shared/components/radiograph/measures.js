// Lines, regions and profiles that the user drew on an image, and their readings.
// A measure: { id, kind: "length" | "region" | "profile", a, b, bandPx }, points in image px (px i covers i..i+1).
import { contrastToNoise, signalToNoise } from "./noise.js";
import { profileReading, regionOf, sampleProfile } from "./statistics.js";

const LETTERS = { length: "L", region: "R", profile: "P" };
const UNDO_STEPS = 100;
// An end lies within 1 px of where it was set, k = 2 (as `tests.imaging.measuring`); the scale is taken as exact.
const LENGTH_UNCERTAINTY_PX = 2 * Math.sqrt(2 / 3);

export class Measures {
  constructor(onChange) {
    this.onChange = onChange;
    this.replace(null);
  }

  // Starts over with the measures kept of an image, null for none.
  replace(kept) {
    this.list = kept?.list ?? [];
    this.background = kept?.background ?? null;
    this.selected = null;
    this.undone = [];
    this.done = [];
    this.onChange();
  }

  get kept() { return { list: this.list, background: this.background }; }

  get(id) { return this.list.find((measure) => measure.id === id); }

  add(kind, a, b) {
    const letter = LETTERS[kind];
    const number = 1 + Math.max(0, ...this.list.filter((m) => m.kind === kind).map((m) => Number(m.id.slice(1))));
    const measure = { id: `${letter}${number}`, kind, a, b, bandPx: 1 };
    this.#step([...this.list, measure], this.background ?? (kind === "region" ? measure.id : null));
    this.select(measure.id);
    return measure;
  }

  change(id, change) { this.#step(this.list.map((m) => (m.id === id ? { ...m, ...change } : m)), this.background); }

  remove(id) {
    const list = this.list.filter((m) => m.id !== id);
    const regions = list.filter((m) => m.kind === "region");
    this.#step(list, this.background === id ? (regions[0]?.id ?? null) : this.background);
  }

  // Regions are compared with this one.
  compareWith(id) { this.#step(this.list, id); }

  select(id) {
    this.selected = this.get(id) ? id : null;
    this.onChange();
  }

  undo() { this.#travel(this.done, this.undone); }
  redo() { this.#travel(this.undone, this.done); }

  #step(list, background) {
    this.done = [...this.done, this.kept].slice(-UNDO_STEPS);
    this.undone = [];
    this.#set({ list, background });
  }

  #travel(from, to) {
    if (!from.length) return;
    to.push(this.kept);
    this.#set(from.pop());
  }

  #set({ list, background }) {
    this.list = list;
    this.background = background;
    if (!this.get(this.selected)) this.selected = null;
    this.onChange();
  }
}

export function figure(value) {
  if (value === null || value === undefined) return "–";
  return Math.abs(value) >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(4)));
}

// scale: { mmPerPx, source } or null.
function lengthText(px, scale) {
  return scale ? `${(px * scale.mmPerPx).toFixed(2)} mm` : `${px.toFixed(1)} px`;
}

export function distanceOf({ a, b }) { return Math.hypot(b[0] - a[0], b[1] - a[1]); }

// The short text on the image itself, quick enough to follow the pointer.
export function labelOf(measure, source, scale) {
  if (measure.kind === "window") return "";
  if (measure.kind === "scale") return `${distanceOf(measure).toFixed(1)} px`;
  if (measure.kind !== "region") return `${measure.id} ${lengthText(distanceOf(measure), scale)}`.trim();
  const region = regionOf(measure.a, measure.b, source.width, source.height);
  return region ? `${measure.id} mean ${figure(source.statistics(region).mean)}`.trim() : measure.id;
}

// The reading of a measure: { main, rows: [[name, text, meaning]], profile }. Needs full depth.
// image: srb_um (basic spatial resolution, null when unknown), polarity and bit_depth as Python told them.
export function readingOf(measure, source, { scale, background, image }) {
  return { length: readLength, region: readRegion, profile: readProfile }[measure.kind](measure, source, { scale, background, image });
}

function readLength(measure, _source, { scale }) {
  const px = distanceOf(measure);
  const uncertainty = LENGTH_UNCERTAINTY_PX * (scale?.mmPerPx ?? 1);
  const rows = [
    ["within", `± ${uncertainty.toFixed(scale ? 2 : 1)} ${scale ? "mm" : "px"}, k = 2`, "each end within 1 px; the uncertainty of the scale is not included"],
    ...(scale ? [["in px", px.toFixed(1)], ["scale", scale.source]] : [["scale", "unknown: in px"]]),
  ];
  return { main: lengthText(px, scale), rows };
}

function readRegion(measure, source, { scale, background, image }) {
  const region = regionOf(measure.a, measure.b, source.width, source.height);
  if (!region) return { main: "outside of the image", rows: [] };
  const found = source.statistics(region);
  const [w, h] = [region.x1 - region.x0, region.y1 - region.y0];
  const size = scale ? `${(w * scale.mmPerPx).toFixed(2)} × ${(h * scale.mmPerPx).toFixed(2)} mm, ${scale.source}` : `${w} × ${h} px, scale unknown`;
  const rows = [
    ["mean, sd", `${figure(found.mean)}, ${figure(found.sd)}`, "of the values as recorded; the sd (n - 1) includes shading and structure: it is not the noise"],
    ["min, max", `${figure(found.min)}, ${figure(found.max)}`],
    ...noiseRows(measure, region, source, { background, image }),
    ["size", `${size}; ${found.n} px in all`],
  ];
  return { main: `mean ${figure(found.mean)}`, rows };
}

function noiseRows(measure, region, source, { background, image }) {
  const found = source.noise(region);
  const top = source.isFloat ? null : 2 ** image.bit_depth - 1;
  const { snr, snrN, remarks } = signalToNoise(found, { polarity: image.polarity, top, srbUm: image.srb_um, isFloat: source.isFloat });
  const doubts = remarks.length ? ` (${remarks.join("; ")})` : "";
  const rows = [
    ["SNR", snr === null ? `not evaluable: ${remarks[0]}` : `${figure(snr)}${doubts}`, "median signal / median noise of rows of 20 px (ISO 16371-1, ASTM E2446)"],
    ["SNRn", snrN === null ? "not normalised: SRb unknown" : `${figure(snrN)} (SRb ${image.srb_um} µm)`, "SNR × 88.6 µm / SRb (ISO 17636-2)"],
  ];
  const other = background && background.id !== measure.id ? regionOf(background.a, background.b, source.width, source.height) : null;
  if (other) {
    const cnr = contrastToNoise(found, source.noise(other));
    const meaning = `difference of the levels of ${measure.id} and ${background.id} / mean of their noises (ISO 17636-2)`;
    rows.push(["CNR", cnr === null ? "not evaluable: no noise, or a region under 20 px wide" : `${figure(cnr)} to ${background.id}`, meaning]);
  }
  return rows;
}

function readProfile(measure, source, { scale }) {
  const { values, width, height } = source;
  const { samples, stepPx, lengthPx } = sampleProfile(values, width, height, measure, source);
  const main = lengthText(lengthPx, scale);
  const read = profileReading(samples);
  if (!read) return { main, rows: [["values", "none: outside of the image"]] };
  const { low, high, dip } = read;
  const at = (i) => `${figure(samples[i])} at ${lengthText(i * stepPx, scale)}`;
  const rows = [
    ["min", at(low)], ["max", at(high)],
    ["dip", dip === null ? "none: the minimum lies at an end" : `${(100 * dip).toFixed(1)} %`,
      "(A + B - 2C) / (A + B) as for a duplex wire (ISO 19232-5): C the minimum, A and B the highest values on either side"],
    ["length", `${main}, ${scale ? scale.source : "scale unknown"}`],
  ];
  return { main, rows, profile: { samples, step: stepPx * (scale?.mmPerPx ?? 1), unit: scale ? "mm" : "px", low, high } };
}
