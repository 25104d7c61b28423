// The labels of an image, the suggestions that wait, and those that were refused. The viewer works on Labels as it does
// on a Reading.
import { Annotations } from "./annotations.js";
import { overlapOf, placeText, rounded, shifted } from "./geometry.js";
import { kindWords, stating } from "./kinds.js";

const SAME_PLACE_IOU = 0.5;
const COPY_SHIFT_PX = 8;

function writeLabels({ labels, refused, note }) {
  const lines = labels.map(({ id, bbox, class: name, iso6520, note: text, kind }) => [id, rounded(bbox), name, iso6520 ?? null, text ?? "", ...(kind ? [kind] : [])]);
  return JSON.stringify([lines, refused.map(({ id }) => id), note ?? ""]);
}

export class Labels extends Annotations {
  constructor(on) {
    super("labels", writeLabels, on);
    this.isLeft = false;
    this.lastKind = stating("unclassified", null); // of the next box that is drawn
    this.numbers = new Map();
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
    this.receive(data, data?.content);
  }

  // --- on show ------------------------------------------------------------------------------
  // Suggestions that are neither labels nor refused nor at the place of one, then the labels; numbers stay.
  entries() {
    if (!this.isThere) return this.detections;
    const labels = new Map(this.list.map((label) => [label.id, label]));
    const refused = new Set(this.content.refused.map(({ id }) => id));
    const suggested = new Set(this.detections.map(({ key }) => key));
    const others = [...this.list, ...this.content.refused].filter(({ id }) => !suggested.has(id));
    const shown = this.detections.flatMap((d) => {
      if (labels.has(d.key)) return [{ ...d, ...entryOf(labels.get(d.key)) }];
      if (refused.has(d.key)) return [{ ...d, call: "dismissed" }];
      return others.some(({ bbox }) => overlapOf(bbox, d.box) >= SAME_PLACE_IOU) ? [] : [{ ...d, call: "open" }];
    });
    const own = this.list.filter(({ id }) => !suggested.has(id))
      .map((label) => ({ n: this.#numberOf(label.id), key: label.id, probability: null, score: null, isAdded: true, ...entryOf(label) }));
    return [...shown, ...own];
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
  #setPart(change) { return this.set({ ...this.content, ...change }); }

  // Changes the label of a number; a suggestion becomes one.
  change(n, change) {
    const entry = this.#entry(n);
    if (!entry) return false;
    const label = this.#labelOf(entry);
    if (label) return this.#setPart({ labels: this.list.map((other) => (other === label ? { ...label, ...change } : other)) });
    return this.#setPart({ labels: [...this.list, { ...acceptedFrom(entry), ...change }], refused: without(this.content.refused, entry) });
  }

  // Labels are changed one at a time: the first of the numbers.
  confirm([n]) { return this.find(n) ? false : this.change(n, {}); }

  // Accepts what waits; suggestions that a person doubted are left out.
  acceptAll(threshold) {
    const taken = this.#open(threshold).filter((entry) => !entry.is_doubted);
    return taken.length > 0 && this.#setPart({ labels: [...this.list, ...taken.map(acceptedFrom)] });
  }

  // A label is taken away, and the suggestion at its place refused; a refused suggestion waits again.
  dismiss([n]) {
    const entry = this.#entry(n);
    if (!entry) return false;
    const refused = without(this.content.refused, entry);
    if (entry.call === "dismissed") return this.#setPart({ refused });
    const suggestion = this.detections.find(({ key }) => key === entry.key);
    return this.#setPart({ labels: without(this.list, entry), refused: suggestion ? [...refused, acceptedFrom(suggestion)] : this.content.refused });
  }

  classify([n], name, code) {
    this.lastKind = stating(name, code);
    return this.change(n, this.lastKind);
  }

  move(n, bbox) { return this.change(n, { bbox: rounded(bbox) }); }
  noteImage(text) { return text === this.content.note ? false : this.#setPart({ note: text }); }

  // The number of the new label, of the kind that was chosen last; null when nothing can be changed.
  add(bbox, kind = this.lastKind) {
    const drawn = [...this.list, ...this.content.refused].map(({ id }) => /^h(\d+)$/.exec(id)?.[1]).filter(Boolean).map(Number);
    const label = { ...kind, id: `h${1 + Math.max(0, ...drawn)}`, bbox: rounded(bbox), origin: "annotator", probability: null, note: "" };
    return this.#setPart({ labels: [...this.list, label] }) ? this.#numberOf(label.id) : null;
  }

  // A copy beside the box of a number, of the same kind; its number.
  duplicate(n, image) {
    const entry = this.#entry(n);
    if (!entry) return null;
    const step = (low, high, size) => (high + COPY_SHIFT_PX <= size ? COPY_SHIFT_PX : -Math.min(COPY_SHIFT_PX, low));
    const [x0, y0, x1, y1] = entry.box;
    const box = shifted(entry.box, step(x0, x1, image.width), step(y0, y1, image.height), image);
    return this.add(box, { ...stating(entry.class, acceptedFrom(entry).iso6520), kind: acceptedFrom(entry).kind });
  }
}

function without(list, entry) { return list.filter(({ id }) => id !== entry.key); }

function entryOf({ bbox, class: name, iso6520, note, kind }) { return { box: bbox, class: name, iso6520, kind, call: "confirmed", note }; }

// The label that a suggestion becomes; the group number of its class says no more than the class.
function acceptedFrom({ key, box, class: name, iso6520, origin, probability, call, kind }) {
  const isFine = call === "confirmed" || (origin !== "model" && origin !== "challenger");
  return { id: key, bbox: box, class: name, iso6520: isFine ? (iso6520 ?? null) : null, origin: origin ?? "annotator", probability: probability ?? null, note: "", kind };
}

// "crack 1011, at x 812 y 402, 40 × 12 px"
export function labelLine(one, numbers) {
  const { bbox, note } = one;
  return `${kindWords(one, numbers)}, ${placeText(bbox)}${note ? `, "${note}"` : ""}`;
}
