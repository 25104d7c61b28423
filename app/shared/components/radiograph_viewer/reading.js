// The calls of the inspector on each indication.
import { Annotations } from "./annotations.js";
import { placeText, rounded } from "./geometry.js";

export const CALL_WORDS = { candidate: "below the threshold of the model", open: "open", confirmed: "confirmed", dismissed: "dismissed" };
export const CALL_MARKS = { candidate: "", open: "open", confirmed: "✓", dismissed: "✕" };

// The same for the same indications, whatever the order of the keys.
function writeIndications(list) {
  return JSON.stringify(list.map(({ id, bbox, class: name, source, call, model_index: index, iso6520, note }) => (
    [id, rounded(bbox), name, source, call, index, iso6520 ?? null, note ?? ""])));
}

export class Reading extends Annotations {
  constructor(on) {
    super("reading", writeIndications, on);
    this.operating = 1;
  }

  get content() { return this.saved.content ?? []; }

  update(data, detections) {
    this.detections = detections;
    this.operating = data?.operating_probability ?? 1;
    if (data?.inspection_id !== this.saved.id) this.forgetSteps();
    this.receive(data, data?.indications);
  }

  // --- on show ------------------------------------------------------------------------------
  // The model's boxes as they are read, then the added ones; numbers stay with their indications.
  entries() {
    if (!this.isThere) return this.detections;
    const known = new Map(this.content.map((indication) => [indication.model_index, indication]));
    const found = this.detections.map((d, index) => (known.has(index) ? { ...d, ...entryOf(known.get(index)) } : { ...d, call: "candidate" }));
    const added = this.#added().map((indication) => (
      { n: this.detections.length + numberOf(indication), probability: null, score: null, isAdded: true, ...entryOf(indication) }));
    return [...found, ...added];
  }

  #added() { return this.content.filter((indication) => indication.model_index === null); }

  #idOf(n) { return n <= this.detections.length ? `m${n}` : `h${n - this.detections.length}`; }

  find(n) { return this.content.find(({ id }) => id === this.#idOf(n)) ?? null; }

  // --- changes ------------------------------------------------------------------------------
  // Changes the indication of a number; one that the model reported below its operating point is taken up.
  change(n, change) {
    const known = this.find(n);
    if (known) return this.set(this.content.map((other) => (other === known ? { ...known, ...change } : other)));
    const d = this.detections[n - 1];
    if (!d) return false;
    const taken = { id: `m${n}`, bbox: d.box, class: d.class, source: "model", call: "confirmed", model_index: n - 1, probability: d.probability, iso6520: null, note: "" };
    return this.set([...this.content, { ...taken, ...change }]);
  }

  #isReported(n) { return n <= this.detections.length && this.detections[n - 1].probability >= this.operating; }

  confirm(n) {
    const known = this.find(n);
    if (!known) return this.change(n, {});
    if (known.call !== "confirmed") return this.change(n, { call: "confirmed" });
    if (known.source === "human") return false;
    return this.#isReported(n) ? this.change(n, { call: "open" }) : this.set(this.content.filter((other) => other !== known));
  }

  // Indications of the model are dismissed (or opened again), those that a person added are taken away.
  dismiss(n) {
    const known = this.find(n);
    if (!known) return false;
    if (known.source === "human" || !this.#isReported(n)) return this.set(this.content.filter((other) => other !== known));
    return this.change(n, { call: known.call === "dismissed" ? "open" : "dismissed" });
  }

  classify(n, name, code) { return this.change(n, { class: name, iso6520: code, call: "confirmed" }); }
  move(n, bbox) { return this.change(n, { bbox: rounded(bbox), call: "confirmed" }); }

  // The number of the new indication, null when nothing can be changed.
  add(bbox) {
    const k = 1 + Math.max(0, ...this.#added().map(numberOf));
    const added = { id: `h${k}`, bbox: rounded(bbox), class: "unclassified", source: "human", call: "confirmed", model_index: null, probability: null, iso6520: null, note: "" };
    return this.set([...this.content, added]) ? this.detections.length + k : null;
  }
}

function numberOf({ id }) { return Number(id.slice(1)); }

function entryOf({ id, bbox, class: name, iso6520, call, note }) { return { id, box: bbox, class: name, iso6520, call, note }; }

// "3 crack 1011, confirmed, at x 812 y 402, 40 × 12 px"
export function indicationLine({ id, model_index: index, class: name, iso6520, call, bbox, note }) {
  const number = index === null ? `added ${id.slice(1)}` : index + 1;
  return `${number} ${name}${iso6520 ? ` ${iso6520}` : ""}, ${call}, ${placeText(bbox)}${note ? `, "${note}"` : ""}`;
}
