// The calls of the inspector on each indication.
import { Annotations } from "./annotations.js";
import { hullOf, placeText, rounded } from "./geometry.js";
import { isReported, kindWords, stating, withClaim } from "./kinds.js";

export const CALL_WORDS = { candidate: "below the threshold of the model", open: "not assessed", confirmed: "confirmed", dismissed: "dismissed" };
export const CALL_MARKS = { candidate: "", open: "○", confirmed: "✓", dismissed: "✕" };
// What a dismissed indication is instead; the first one unless somebody says so.
export const DISMISSALS = ["false call", "non-relevant", "artefact", "geometry", "marker or IQI"];
// What several indications are together, by ISO 6520-1 number.
export const GROUP_KINDS = { 2013: "clustered porosity", 2014: "linear porosity" };

const POROUS = ["porosity", "unclassified"];

// The same for the same indications, whatever the order of the keys.
function writeIndications(list) {
  return JSON.stringify(list.map(({ id, bbox, class: name, source, call, model_index: index, iso6520, note, group, kind, grade, dismissed_as: as }) => (
    [id, rounded(bbox), name, source, call, index, iso6520 ?? null, note ?? "", ...(group || kind || grade ? [group ?? null, kind ?? null, grade ?? null] : []), ...(as ? [`as ${as}`] : [])])));
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
    const isVeiled = Boolean(data?.is_first_look); // steps do not lead back before the model was shown
    if (data?.inspection_id !== this.saved.id || isVeiled !== this.isVeiled) this.forgetSteps();
    this.isVeiled = isVeiled;
    this.receive(data, data?.indications);
  }

  // --- on show ------------------------------------------------------------------------------
  // The model's boxes as they are read, then the added ones; numbers stay with their indications.
  entries() {
    if (!this.isThere) return this.detections.map(withClaim);
    const known = new Map(this.content.map((indication) => [indication.model_index, indication]));
    const found = this.detections.map((d, index) => (known.has(index) ? readEntry(d, known.get(index)) : { ...d, call: "candidate" }));
    const added = this.#added().map((indication) => (
      { n: this.detections.length + numberOf(indication), probability: null, score: null, isAdded: true, nMembers: this.content.filter(({ group }) => group === indication.id).length, ...entryOf(indication) }));
    return [...found.map(withClaim), ...added];
  }

  #added() { return this.content.filter((indication) => indication.model_index === null); }

  #idOf(n) { return n <= this.detections.length ? `m${n}` : `h${n - this.detections.length}`; }

  find(n) { return this.content.find(({ id }) => id === this.#idOf(n)) ?? null; }

  // --- changes ------------------------------------------------------------------------------
  // Changes the indication of a number; one that the model reported below its operating point is taken up.
  change(n, change) { return this.changeAll([n], () => change); }

  // One step, however many: change(indication) is what changes about each one, null takes it away.
  changeAll(numbers, change) {
    let content = this.content;
    for (const n of numbers) {
      const known = content.find(({ id }) => id === this.#idOf(n));
      const one = known ?? this.#taken(n);
      if (!one) continue;
      const asked = change(one, n);
      const changed = asked?.call && asked.call !== "dismissed" ? { ...asked, dismissed_as: undefined } : asked; // it is nothing else then
      if (!changed) content = without(content, one.id);
      else if (known) content = content.map((other) => (other === known ? { ...known, ...changed } : other));
      else content = [...content, { ...one, ...changed }];
    }
    return content !== this.content && writeIndications(content) !== writeIndications(this.content) && this.set(content);
  }

  // A box of the model as an indication of the reading.
  #taken(n) {
    const d = this.detections[n - 1];
    return d && { id: `m${n}`, bbox: d.box, class: d.class, source: "model", call: "confirmed", model_index: n - 1, probability: d.probability, iso6520: null, note: "" };
  }

  #isReported(n) { return n <= this.detections.length && isReported(this.detections[n - 1], this.operating); }
  #isOwn(n) { return !this.#isReported(n); }

  confirm(numbers) { return this.changeAll(numbers, () => ({ call: "confirmed" })); }

  // Indications of the model are dismissed, those that a person added are taken away.
  dismiss(numbers) {
    const known = numbers.filter((n) => this.find(n));
    this.dismissed = known.filter((n) => !this.#isOwn(n));
    return this.changeAll(known, (one, n) => (this.#isOwn(n) ? null : { call: "dismissed", group: undefined, grade: undefined, dismissed_as: one.dismissed_as ?? DISMISSALS[0] }));
  }

  // The next kind of dismissal for those of the numbers that are dismissed, else for what was dismissed last.
  nextDismissal(numbers) {
    const isDismissed = (n) => this.find(n)?.call === "dismissed";
    const mine = numbers.filter(isDismissed);
    const meant = mine.length ? mine : (this.dismissed ?? []).filter(isDismissed);
    if (!meant.length) return "";
    const as = DISMISSALS[(DISMISSALS.indexOf(this.find(meant[0]).dismissed_as) + 1) % DISMISSALS.length];
    return this.dismissAs(meant, as) ? `${meant.join(", ")} dismissed: ${as}` : "";
  }

  dismissAs(numbers, as) { return this.changeAll(numbers, () => ({ dismissed_as: as })); }

  // Not assessed again; one that the model reported below its operating point leaves the reading.
  reopen(n) {
    if (n > this.detections.length || !this.find(n)) return false;
    return this.changeAll([n], () => (this.#isReported(n) ? { call: "open", group: undefined, grade: undefined } : null));
  }

  classify(numbers, name, code) { return this.changeAll(numbers, () => ({ ...stating(name, code), call: "confirmed" })); }

  // The severity level of all of them, null takes it back.
  grade(numbers, level) { return this.changeAll(numbers, () => ({ grade: level ?? undefined })); }

  move(n, bbox) { return this.change(n, { bbox: rounded(bbox), call: "confirmed" }); }

  // --- groups -------------------------------------------------------------------------------
  isGroup(n) { return this.content.some(({ group }) => group === this.#idOf(n)); }

  membersOf(n) { return this.content.filter(({ group }) => group === this.#idOf(n)); }

  // Several pores become one indication of this kind, with a box around all of them; its number, null when that cannot
  // be. Other kinds and what was dismissed are no part of it: a crack is not grouped away.
  group(chosen, code) {
    const numbers = this.poresOf(chosen);
    const groups = numbers.filter((n) => this.isGroup(n)).map((n) => this.#idOf(n));
    const singles = numbers.filter((n) => !this.isGroup(n));
    const ids = new Set([...singles.map((n) => this.#idOf(n)), ...this.content.filter(({ group }) => groups.includes(group)).map(({ id }) => id)]);
    if (ids.size < 2) return null;
    const id = this.#freeId();
    const taken = singles.filter((n) => !this.find(n)).map((n) => this.#taken(n)).filter(Boolean);
    const content = [...this.content, ...taken].filter((one) => !groups.includes(one.id))
      .map((one) => (ids.has(one.id) ? { ...one, ...(one.class === "porosity" ? {} : stating("porosity", null)), call: "confirmed", group: id } : one));
    const bbox = hullOf(content.filter(({ group }) => group === id).map((one) => one.bbox));
    return this.set([...content, { ...drawn(id, bbox), class: "porosity", iso6520: code }]) ? this.detections.length + numberOf({ id }) : null;
  }

  poresOf(numbers) {
    const byNumber = new Map(this.entries().map((entry) => [entry.n, entry]));
    return numbers.filter((n) => POROUS.includes(byNumber.get(n)?.class) && byNumber.get(n).call !== "dismissed");
  }

  // The members stand alone again.
  ungroup(n) {
    const id = this.#idOf(n);
    if (!this.isGroup(n)) return false;
    return this.set(without(this.content, id));
  }

  #freeId() { return `h${1 + Math.max(0, ...this.#added().map(numberOf))}`; }

  // The number of the new indication, null when nothing can be changed.
  add(bbox) {
    const id = this.#freeId();
    return this.set([...this.content, drawn(id, bbox)]) ? this.detections.length + numberOf({ id }) : null;
  }
}

function numberOf({ id }) { return Number(id.slice(1)); }

function drawn(id, bbox) {
  return { id, bbox: rounded(bbox), class: "unclassified", source: "human", call: "confirmed", model_index: null, probability: null, iso6520: null, note: "" };
}

// Takes an indication away; members of a group that is taken away stand alone again.
function without(content, id) {
  return content.filter((one) => one.id !== id).map((one) => (one.group === id ? { ...one, group: undefined } : one));
}

// A box of the model as it is read; its outline goes once somebody moved the box.
function readEntry(d, indication) {
  const isMoved = String(rounded(d.box)) !== String(rounded(indication.bbox));
  return { ...d, ...(isMoved ? { outline: undefined, size: undefined, area: undefined } : {}), ...entryOf(indication) };
}

function entryOf({ id, bbox, class: name, iso6520, call, note, group, kind, grade, dismissed_as: as }) {
  return { id, box: bbox, class: name, iso6520, call, note, group, kind, grade, dismissed_as: as };
}

// "3 crack 1011, confirmed, at x 812 y 402, 40 × 12 px"
export function indicationLine(one, numbers) {
  const { id, model_index: index, call, bbox, note, group, grade, dismissed_as: as } = one;
  const number = index === null ? `added ${id.slice(1)}` : index + 1;
  return `${number} ${kindWords(one, numbers)}${grade ? `, level ${grade}` : ""}, ${call === "open" ? "not assessed" : as ? `${call}: ${as}` : call}${group ? ` in a group (added ${group.slice(1)})` : ""}, ${placeText(bbox)}${note ? `, "${note}"` : ""}`;
}
