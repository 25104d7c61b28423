// What the inspector says of each indication; every change is saved and can be taken back.
const MOST_UNDO = 200;
const CALL_WORDS = { candidate: "below the threshold of the model", open: "open", confirmed: "confirmed", dismissed: "dismissed" };
const CALL_MARKS = { candidate: "", open: "open", confirmed: "✓", dismissed: "✕" };

// The same for the same indications, whatever the order of the keys.
function writeIndications(list) {
  return JSON.stringify(list.map((one) => [
    one.id, one.bbox.map((v) => Math.round(v * 100) / 100), one.class, one.source, one.call, one.model_index, one.iso6520 ?? null, one.note ?? "",
  ]));
}

class Reading {
  // on: { send(event), changed() }
  constructor(on) {
    this.saved = new Saved("reading", writeIndications, { send: on.send, changed: () => this.#renewed() });
    this.on = on;
    this.detections = [];
    this.operating = 1;
    this.#empty();
  }

  #empty() { Object.assign(this, { past: [], future: [], lastText: "" }); }

  get list() { return this.saved.content ?? []; }
  get isThere() { return this.saved.content !== null; }
  get canChange() { return this.isThere && this.saved.isOpen && !this.saved.conflict; }

  update(reading, detections) {
    const before = this.saved.id;
    this.detections = detections;
    this.operating = reading?.operating_probability ?? 1;
    if (reading?.inspection_id !== before) this.#empty();
    this.saved.update(reading && {
      id: reading.inspection_id, owner: reading.owner, version: reading.version, content: reading.indications,
      isOpen: reading.is_open, author: reading.author, savedAt: reading.saved_at,
    }, reading?.refused);
  }

  #renewed() { this.on.changed(); }

  // --- what is shown ------------------------------------------------------------------------
  // The model's boxes as they are read, then the added ones; numbers stay with their indications.
  entries() {
    if (!this.isThere) return this.detections;
    const said = new Map(this.list.filter((one) => one.model_index !== null).map((one) => [one.model_index, one]));
    const found = this.detections.map((d, index) => {
      const one = said.get(index);
      return one ? { ...d, ...shownAs(one), wasChanged: isMoved(one.bbox, d.box) } : { ...d, call: "candidate" };
    });
    const added = this.list.filter((one) => one.model_index === null).map((one) => (
      { n: this.detections.length + Number(one.id.slice(1)), probability: null, score: null, isAdded: true, ...shownAs(one) }));
    return [...found, ...added];
  }

  #idOf(n) { return n <= this.detections.length ? `m${n}` : `h${n - this.detections.length}`; }

  find(n) { return this.list.find((one) => one.id === this.#idOf(n)) ?? null; }

  // --- changes ------------------------------------------------------------------------------
  #set(list) {
    const before = this.list;
    if (!this.canChange || !this.saved.set(list)) return false;
    this.past = [...this.past.slice(-MOST_UNDO), before];
    this.future = [];
    this.on.changed();
    return true;
  }

  // Changes the indication of a number; one that the model reported below its operating point is taken up.
  #change(n, change) {
    const known = this.find(n);
    if (known) return this.#set(this.list.map((one) => (one === known ? { ...one, ...change } : one)));
    const d = this.detections[n - 1];
    if (!d) return false;
    const taken = { id: `m${n}`, bbox: d.box, class: d.class, source: "model", call: "confirmed", model_index: n - 1, probability: d.probability, iso6520: null, note: "" };
    return this.#set([...this.list, { ...taken, ...change }]);
  }

  #isReported(n) { return n <= this.detections.length && this.detections[n - 1].probability >= this.operating; }

  confirm(n) {
    const known = this.find(n);
    if (!known) return this.#change(n, {});
    if (known.call !== "confirmed") return this.#change(n, { call: "confirmed" });
    if (known.source === "human") return false;
    return this.#isReported(n) ? this.#change(n, { call: "open" }) : this.#set(this.list.filter((one) => one !== known));
  }

  // The model's are dismissed (again: open), one's own are taken away.
  dismiss(n) {
    const known = this.find(n);
    if (!known) return false;
    if (known.source === "human" || !this.#isReported(n)) return this.#set(this.list.filter((one) => one !== known));
    return this.#change(n, { call: known.call === "dismissed" ? "open" : "dismissed" });
  }

  classify(n, name, code) { return this.#change(n, { class: name, iso6520: code, call: "confirmed" }); }
  note(n, text) { return (this.find(n)?.note ?? "") === text ? false : this.#change(n, { note: text }); }
  move(n, bbox) { return this.#change(n, { bbox: bbox.map((v) => Math.round(v * 100) / 100), call: "confirmed" }); }

  // The number of the new indication, null when nothing can be changed.
  add(bbox) {
    const k = 1 + Math.max(0, ...this.list.filter((one) => one.model_index === null).map((one) => Number(one.id.slice(1))));
    const one = { id: `h${k}`, bbox: bbox.map((v) => Math.round(v * 100) / 100), class: "unclassified", source: "human", call: "confirmed", model_index: null, probability: null, iso6520: null, note: "" };
    return this.#set([...this.list, one]) ? this.detections.length + k : null;
  }

  undo() { this.#step(this.past, this.future); }
  redo() { this.#step(this.future, this.past); }

  #step(from, to) {
    if (!from.length || !this.canChange) return;
    const before = this.list;
    if (!this.saved.set(from[from.length - 1])) return;
    from.pop();
    to.push(before);
    this.on.changed();
  }
}

function shownAs(one) {
  return { id: one.id, box: one.bbox, class: one.class, iso6520: one.iso6520, call: one.call, note: one.note };
}

function isMoved(one, other) { return one.some((value, i) => Math.abs(value - other[i]) > 0.02); }
