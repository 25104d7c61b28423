// The labels of an image, the suggestions that wait, and those that were refused. The viewer works on Labels as it does
// on a Reading.
import { boundsOf, fitted, isUpright, movedBy } from "../radiograph/polygons.js";
import { Annotations } from "./annotations.js";
import { overlapOf, placeText, rounded, shifted } from "./geometry.js";
import { keepSteps, keptSteps } from "./kept_steps.js";
import { isAbove, kindWords, stating } from "./kinds.js";

const SAME_PLACE_IOU = 0.5;
const SAME_LABEL_IOU = 0.9; // copied twice
const COPY_SHIFT_PX = 8;
const LEAST_SIDE_PX = 1; // of what is left of a copied label within another image

function writeLabels({ labels, refused, note }) {
  const lines = labels.map(({ id, bbox, class: name, iso6520, note: text, kind, polygon, own_class: own }) => [id, rounded(bbox), name, iso6520 ?? null, text ?? "", ...(kind ? [kind] : []), ...(polygon ? [polygon.map(rounded)] : []), ...(own ? [`own ${own}`] : [])]);
  return JSON.stringify([lines, refused.map(({ id }) => id), note ?? ""]);
}

export class Labels extends Annotations {
  constructor(on) {
    super("labels", writeLabels, on);
    this.isLeft = false;
    this.lastKind = stating("unclassified", null); // of the next box that is drawn
    this.numbers = new Map();
    this.ownClasses = new Map(); // by code
    this.threshold = 0; // of what is on show: that bears numbers without gaps
  }

  get content() { return this.saved.content ?? { labels: [], refused: [], note: "" }; }
  get list() { return this.content.labels; }
  // Not while the image is being left: a key that is pressed too early is not meant for it.
  get canChange() { return super.canChange && !this.isLeft; }

  update(data, suggestions) {
    const isOther = data?.inspection_id !== this.saved.id;
    if (isOther || suggestions.length !== this.detections.length) this.numbers = new Map();
    if (isOther) this.forgetSteps();
    this.detections = suggestions;
    this.ownClasses = new Map((data?.own_classes ?? []).map((own) => [own.code, own]));
    this.receive(data, data?.content);
    if (isOther && this.isThere) Object.assign(this, keptSteps(this.#place, writeLabels(this.content)));
  }

  get #place() { return `labels.${this.saved.owner}.${this.saved.id}`; }
  stepped() { keepSteps(this.#place, writeLabels(this.content), this.past, this.future); }

  // --- on show ------------------------------------------------------------------------------
  // Suggestions that are neither labels nor refused nor at the place of one, then the labels. `n` stays with an entry,
  // `number` counts what is on show.
  entries() {
    const entries = this.isThere ? this.#all() : this.detections;
    const shown = entries.filter((entry) => isAbove(entry, this.threshold));
    const numbers = new Map([...shown, ...entries.filter((entry) => !isAbove(entry, this.threshold))].map(({ n }, i) => [n, i + 1]));
    return entries.map((entry) => ({ ...entry, number: numbers.get(entry.n) }));
  }

  #all() {
    const labels = new Map(this.list.map((label) => [label.id, label]));
    const refused = new Set(this.content.refused.map(({ id }) => id));
    const suggested = new Set(this.detections.map(({ key }) => key));
    const others = [...this.list, ...this.content.refused].filter(({ id }) => !suggested.has(id));
    const shown = this.detections.flatMap((d) => {
      if (labels.has(d.key)) return [{ ...d, ...this.#shownAs(labels.get(d.key)) }];
      if (refused.has(d.key)) return [{ ...d, call: "dismissed" }];
      return others.some(({ bbox }) => overlapOf(bbox, d.box) >= SAME_PLACE_IOU) ? [] : [{ ...d, call: "open" }];
    });
    const own = this.list.filter(({ id }) => !suggested.has(id))
      .map((label) => ({ n: this.#numberOf(label.id), key: label.id, probability: null, score: null, isAdded: true, ...this.#shownAs(label) }));
    return [...shown, ...own];
  }

  // A label as an entry, in the name and colour of its own class.
  #shownAs(label) {
    const own = this.ownClasses.get(label.own_class);
    return { ...entryOf(label), ...(own ? { own_name: own.name, called: own.name, colour: own.colour } : {}) };
  }

  #numberOf(id) {
    if (!this.numbers.has(id)) this.numbers.set(id, this.detections.length + this.numbers.size + 1);
    return this.numbers.get(id);
  }

  #entry(n) { return this.entries().find((entry) => entry.n === n) ?? null; }
  #labelOf(entry) { return (entry && this.list.find(({ id }) => id === entry.key)) ?? null; }
  find(n) { return this.#labelOf(this.#entry(n)); }

  // Open suggestions from a probability on, and those that a person drew.
  #open(threshold) {
    return this.entries().filter(({ call, probability }) => call === "open" && (probability === null || probability >= threshold));
  }

  // The numbers of the suggestions that nobody accepted or refused yet.
  waiting(threshold) { return this.#open(threshold).map(({ n }) => n); }

  // --- changes ------------------------------------------------------------------------------
  // False also where nothing would be another.
  #setPart(change) {
    const content = { ...this.content, ...change };
    return writeLabels(content) !== writeLabels(this.content) && this.set(content);
  }

  change(n, change) { return this.changeAll([n], () => change); }

  // One step, however many: change(label) is what changes about each one; a suggestion becomes a label.
  changeAll(numbers, change) {
    const entries = this.#entriesOf(numbers);
    if (!entries.length) return false;
    const changed = new Map(entries.map((entry) => {
      const label = this.#labelOf(entry) ?? acceptedFrom(entry);
      return [entry.key, { ...label, ...change(label) }];
    }));
    const known = new Set(this.list.map(({ id }) => id));
    const labels = [...this.list.map((label) => changed.get(label.id) ?? label), ...[...changed.values()].filter(({ id }) => !known.has(id))];
    return this.#setPart({ labels, refused: this.content.refused.filter(({ id }) => !changed.has(id)) });
  }

  #entriesOf(numbers) {
    const wanted = new Set(numbers);
    return this.entries().filter(({ n }) => wanted.has(n));
  }

  // Labels stay as they are.
  confirm(numbers) {
    const open = this.#entriesOf(numbers).filter((entry) => !this.#labelOf(entry)).map(({ n }) => n);
    return open.length > 0 && this.changeAll(open, () => ({}));
  }

  // What `acceptAll` would take: what waits, without suggestions that a person doubted.
  acceptable(threshold) { return this.#open(threshold).filter((entry) => !entry.is_doubted); }

  acceptAll(threshold) { return this.confirm(this.acceptable(threshold).map(({ n }) => n)); }

  // Labels are taken away, and suggestions at their place refused; where all were refused they wait again.
  dismiss(numbers) {
    const entries = this.#entriesOf(numbers);
    if (!entries.length) return false;
    const keys = new Set(entries.map(({ key }) => key));
    const refused = this.content.refused.filter(({ id }) => !keys.has(id));
    if (entries.every(({ call }) => call === "dismissed")) return this.#setPart({ refused });
    const suggested = this.detections.filter(({ key }) => keys.has(key)).map(acceptedFrom);
    return this.#setPart({ labels: this.list.filter(({ id }) => !keys.has(id)), refused: [...refused, ...suggested] });
  }

  // own: code of an own class, which stands in place of a number or kind.
  classify(numbers, name, code, own) {
    this.lastKind = { ...stating(name, code), own_class: own };
    return this.changeAll(numbers, () => this.lastKind);
  }

  // A box takes its polygon along.
  move(n, bbox) { return this.changeAll([n], (label) => ({ bbox: rounded(bbox), polygon: label.polygon && fitted(label.polygon, label.bbox, bbox).map(rounded) })); }

  moveAll(numbers, dx, dy) {
    return this.changeAll(numbers, ({ bbox: [x0, y0, x1, y1], polygon }) => ({ bbox: rounded([x0 + dx, y0 + dy, x1 + dx, y1 + dy]), polygon: polygon && movedBy(polygon, dx, dy).map(rounded) }));
  }

  // Another polygon; one along the image is a box again.
  shape(n, polygon) { return this.changeAll([n], () => shapeOf(polygon)); }

  noteImage(text) { return text === this.content.note ? false : this.#setPart({ note: text }); }

  // The number of the new label, of the kind that was chosen last; null when nothing can be changed.
  add(bbox, kind = this.lastKind) { return this.#addAll([{ ...kind, bbox: rounded(bbox) }])?.[0] ?? null; }

  addPolygon(polygon) { return this.#addAll([{ ...this.lastKind, ...shapeOf(polygon) }])?.[0] ?? null; }

  // Their numbers, null when nothing can be changed.
  #addAll(shapes) {
    const drawn = [...this.list, ...this.content.refused].map(({ id }) => /^h(\d+)$/.exec(id)?.[1]).filter(Boolean).map(Number);
    const last = Math.max(0, ...drawn);
    const labels = shapes.map((one, i) => ({ ...one, id: `h${last + 1 + i}`, origin: "annotator", probability: null, note: "" }));
    return this.#setPart({ labels: [...this.list, ...labels] }) ? labels.map(({ id }) => this.#numberOf(id)) : null;
  }

  // Copies beside the boxes of these numbers, of the same kind; their numbers.
  duplicate(numbers, image) {
    const step = (low, high, size) => (high + COPY_SHIFT_PX <= size ? COPY_SHIFT_PX : -Math.min(COPY_SHIFT_PX, low));
    return this.#addAll(this.#entriesOf(numbers).map((entry) => {
      const { bbox, polygon, class: name, iso6520, kind, own_class: own } = this.#labelOf(entry) ?? acceptedFrom(entry);
      const [x0, y0, x1, y1] = bbox;
      const moved = shifted(bbox, step(x0, x1, image.width), step(y0, y1, image.height), image);
      return { class: name, iso6520, kind, own_class: own, bbox: rounded(moved), polygon: polygon && movedBy(polygon, moved[0] - x0, moved[1] - y0).map(rounded) };
    }));
  }

  // Labels of another image at the same places: { numbers, left } of the new ones and how many were left out, since the
  // same lies there already or they lie outside of this image.
  copy(labels, image) {
    const shapes = labels.map(({ class: name, iso6520, kind, own_class: own, bbox, polygon }) => ({ class: name, iso6520, kind, own_class: own, ...within({ bbox, polygon }, image) }))
      .filter(({ bbox: [x0, y0, x1, y1] }) => x1 - x0 >= LEAST_SIDE_PX && y1 - y0 >= LEAST_SIDE_PX);
    const fresh = shapes.filter((one) => !this.list.some((label) => label.class === one.class && overlapOf(label.bbox, one.bbox) >= SAME_LABEL_IOU));
    return { numbers: fresh.length ? (this.#addAll(fresh) ?? []) : [], left: labels.length - fresh.length };
  }
}

function entryOf({ bbox, class: name, iso6520, note, kind, polygon, own_class: own }) {
  return { box: bbox, class: name, iso6520, kind, call: "confirmed", note, polygon, own_class: own };
}

function shapeOf(polygon) {
  const corners = polygon.map(rounded);
  return { bbox: boundsOf(corners), polygon: isUpright(corners) ? undefined : corners };
}

// The part within an image; a polygon that reaches over the edge is cut to its box there.
function within({ bbox: [x0, y0, x1, y1], polygon }, { width, height }) {
  const bbox = rounded([Math.max(0, x0), Math.max(0, y0), Math.min(width, x1), Math.min(height, y1)]);
  return { bbox, polygon: x1 <= width && y1 <= height ? polygon : undefined };
}

// The label that a suggestion becomes; the group number of its class says no more than the class.
function acceptedFrom({ key, box, class: name, iso6520, origin, probability, call, kind }) {
  const isFine = call === "confirmed" || !["model", "challenger", "compared version"].includes(origin);
  return { id: key, bbox: box, class: name, iso6520: isFine ? (iso6520 ?? null) : null, origin: origin ?? "annotator", probability: probability ?? null, note: "", kind };
}

// "3 porosity, 2 crack", the most frequent first.
export function countsByClass(entries) {
  const counts = Map.groupBy(entries, (entry) => kindWords({ ...entry, iso6520: null }));
  return [...counts].map(([name, list]) => [list.length, name]).toSorted((a, b) => b[0] - a[0]).map(([count, name]) => `${count} ${name}`).join(", ");
}

// "crack 1011, at x 812 y 402, 40 × 12 px"
export function labelLine(one, numbers) {
  const { bbox, note, polygon } = one;
  return `${kindWords(one, numbers)}, ${placeText(bbox)}${polygon ? `, ${polygon.length} corners` : ""}${note ? `, "${note}"` : ""}`;
}
