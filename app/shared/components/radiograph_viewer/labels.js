// The labels of an image: what is true, what was refused, what is suggested; every change is saved and can be taken back.
// The same interface as a Reading, so that the viewer works on either.
const SAME_PLACE_IOU = 0.5;
const COPY_SHIFT_PX = 8;

function writeLabels({ labels, refused, note }) {
  const lines = (list) => list.map((one) => [one.id, one.bbox.map((v) => Math.round(v * 100) / 100), one.class, one.iso6520 ?? null, one.note ?? ""]);
  return JSON.stringify([lines(labels), lines(refused).map(([id]) => id), note ?? ""]);
}

class Labels {
  // on: { send(event), changed() }
  constructor(on) {
    this.saved = new Saved("labels", writeLabels, { send: on.send, changed: () => on.changed() });
    this.on = on;
    this.detections = []; // the suggestions
    this.isLeft = false;
    this.lastKind = { class: "unclassified", iso6520: null }; // what the next drawn box becomes
    this.#empty();
  }

  #empty() { Object.assign(this, { past: [], future: [], numbers: new Map() }); }

  get content() { return this.saved.content ?? { labels: [], refused: [], note: "" }; }
  get list() { return this.content.labels; }
  get isThere() { return this.saved.content !== null; }
  // Not while the image is being left: a key that is pressed too early is not meant for it.
  get canChange() { return this.isThere && this.saved.isOpen && !this.saved.conflict && !this.isLeft; }

  update(data, suggestions) {
    if (data?.inspection_id !== this.saved.id || suggestions.length !== this.detections.length) this.numbers = new Map();
    if (data?.inspection_id !== this.saved.id) this.#empty();
    this.detections = suggestions;
    this.saved.update(data && {
      id: data.inspection_id, owner: data.owner, version: data.version, content: data.content,
      isOpen: data.is_open, author: data.author, savedAt: data.saved_at,
    }, data?.refused);
  }

  // --- what is shown ------------------------------------------------------------------------
  // Suggestions that are neither labels nor refused nor at the place of one, then the labels; numbers stay.
  entries() {
    if (!this.isThere) return this.detections;
    const labels = new Map(this.list.map((one) => [one.id, one]));
    const refused = new Set(this.content.refused.map((one) => one.id));
    const known = new Set(this.detections.map((d) => d.key));
    const others = [...this.list, ...this.content.refused].filter((one) => !known.has(one.id));
    const shown = this.detections.flatMap((d) => {
      const label = labels.get(d.key);
      if (label) return [{ ...d, ...labelAs(label), wasChanged: isMoved(label.bbox, d.box) }];
      if (refused.has(d.key)) return [{ ...d, call: "dismissed" }];
      return others.some((one) => overlapOf(one.bbox, d.box) >= SAME_PLACE_IOU) ? [] : [{ ...d, call: "open" }];
    });
    const own = this.list.filter((one) => !known.has(one.id))
      .map((one) => ({ n: this.#numberOf(one.id), key: one.id, probability: null, score: null, isAdded: true, ...labelAs(one) }));
    return [...shown, ...own];
  }

  #numberOf(id) {
    if (!this.numbers.has(id)) this.numbers.set(id, this.detections.length + this.numbers.size + 1);
    return this.numbers.get(id);
  }

  #entry(n) { return this.entries().find((one) => one.n === n) ?? null; }
  find(n) {
    const entry = this.#entry(n);
    return entry && (this.list.find((one) => one.id === entry.key) ?? null);
  }

  // What waits for a word: the numbers of open suggestions, from a probability on or drawn by a person.
  waiting(threshold) {
    return this.entries().filter((one) => one.call === "open" && (one.probability === null || one.probability >= threshold)).map((one) => one.n);
  }

  // --- changes ------------------------------------------------------------------------------
  #set(change) {
    const before = this.content;
    if (!this.canChange || !this.saved.set({ ...before, ...change })) return false;
    this.past = [...this.past.slice(-MOST_UNDO), before];
    this.future = [];
    this.on.changed();
    return true;
  }

  // Changes the label of a number; a suggestion becomes one.
  #change(n, change) {
    const entry = this.#entry(n);
    if (!entry) return false;
    const label = this.list.find((one) => one.id === entry.key);
    if (label) return this.#set({ labels: this.list.map((one) => (one === label ? { ...label, ...change } : one)) });
    return this.#set({ labels: [...this.list, { ...acceptedFrom(entry), ...change }], refused: this.content.refused.filter((one) => one.id !== entry.key) });
  }

  confirm(n) { return this.find(n) ? false : this.#change(n, {}); }

  // All suggestions from a probability on, and those that people drew; what a person doubted is left out.
  acceptAll(threshold) {
    const taken = this.entries().filter((one) => one.call === "open" && !one.is_doubted && (one.probability === null || one.probability >= threshold));
    return taken.length > 0 && this.#set({ labels: [...this.list, ...taken.map(acceptedFrom)] });
  }

  // A label is taken away, and what was suggested there refused; a refused suggestion waits again.
  dismiss(n) {
    const entry = this.#entry(n);
    if (!entry) return false;
    const without = (list) => list.filter((one) => one.id !== entry.key);
    if (entry.call === "dismissed") return this.#set({ refused: without(this.content.refused) });
    const isSuggested = this.detections.some((d) => d.key === entry.key);
    return this.#set({ labels: without(this.list), refused: isSuggested ? [...without(this.content.refused), acceptedFrom(this.#suggestion(entry))] : this.content.refused });
  }

  #suggestion(entry) { return this.detections.find((d) => d.key === entry.key); }

  classify(n, name, code) {
    this.lastKind = { class: name, iso6520: code };
    return this.#change(n, this.lastKind);
  }

  note(n, text) { return (this.find(n)?.note ?? "") === text ? false : this.#change(n, { note: text }); }
  move(n, bbox) { return this.#change(n, { bbox: bbox.map((v) => Math.round(v * 100) / 100) }); }
  noteImage(text) { return text === this.content.note ? false : this.#set({ note: text }); }

  // The number of the new label, of the kind that was chosen last; null when nothing can be changed.
  add(bbox, kind = this.lastKind) {
    const drawn = [...this.list, ...this.content.refused].map((one) => /^h(\d+)$/.exec(one.id)?.[1]).filter(Boolean).map(Number);
    const label = { ...kind, id: `h${1 + Math.max(0, ...drawn)}`, bbox: bbox.map((v) => Math.round(v * 100) / 100), origin: "annotator", probability: null, note: "" };
    return this.#set({ labels: [...this.list, label] }) ? this.#numberOf(label.id) : null;
  }

  // A copy beside the box of a number, of the same kind; its number.
  duplicate(n, image) {
    const entry = this.#entry(n);
    if (!entry) return null;
    const { width, height } = image;
    const step = (low, high, size) => (high + COPY_SHIFT_PX <= size ? COPY_SHIFT_PX : -Math.min(COPY_SHIFT_PX, low));
    const [x0, y0, x1, y1] = entry.box;
    return this.add(shifted(entry.box, step(x0, x1, width), step(y0, y1, height), image), { class: entry.class, iso6520: acceptedFrom(entry).iso6520 });
  }

  undo() { this.#step(this.past, this.future); }
  redo() { this.#step(this.future, this.past); }

  #step(from, to) {
    if (!from.length || !this.canChange) return;
    const before = this.content;
    if (!this.saved.set(from[from.length - 1])) return;
    from.pop();
    to.push(before);
    this.on.changed();
  }
}

function labelAs(one) { return { box: one.bbox, class: one.class, iso6520: one.iso6520, call: "confirmed", note: one.note }; }

// The label that a suggestion becomes; the group number of its class says no more than the class.
function acceptedFrom({ key, box, class: name, iso6520, origin, probability, call }) {
  const isFine = call === "confirmed" || (origin !== "model" && origin !== "challenger");
  return { id: key, bbox: box, class: name, iso6520: isFine ? (iso6520 ?? null) : null, origin: origin ?? "annotator", probability: probability ?? null, note: "" };
}

function overlapOf(a, b) {
  const [w, h] = [Math.min(a[2], b[2]) - Math.max(a[0], b[0]), Math.min(a[3], b[3]) - Math.max(a[1], b[1])];
  if (w <= 0 || h <= 0) return 0;
  const area = (box) => (box[2] - box[0]) * (box[3] - box[1]);
  return (w * h) / (area(a) + area(b) - w * h);
}

// "crack 1011, at x 812 y 402, 40 × 12 px"
function labelLine(one) {
  const [x0, y0, x1, y1] = one.bbox.map(Math.round);
  return `${one.class}${one.iso6520 ? ` ${one.iso6520}` : ""}, at x ${x0} y ${y0}, ${x1 - x0} × ${y1 - y0} px${one.note ? `, "${one.note}"` : ""}`;
}
