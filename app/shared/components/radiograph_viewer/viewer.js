// Glue: data from Python -> stage and panels; what the user does -> back to Python, late and little.
const BENCHES = new WeakMap();
const REPORT_AFTER_MS = 350;
const FETCH_AHEAD_AFTER_MS = 400; // the image on show comes first

export default function (component) {
  const { data, parentElement, setStateValue, setTriggerValue } = component;
  let bench = BENCHES.get(parentElement);
  if (!bench) {
    bench = new Bench(parentElement.querySelector(".bench"), Boolean(data.reading?.is_labelling));
    BENCHES.set(parentElement, bench);
  }
  bench.report = setStateValue;
  bench.trigger = setTriggerValue;
  bench.update(data);
  return () => { bench.destroy(); BENCHES.delete(parentElement); };
}

class Bench {
  // isLabelling: labels of an image are made, not a reading of an inspection; it stays so.
  constructor(root, isLabelling = false) {
    Object.assign(this, { root, isLabelling });
    this.$ = (query) => root.querySelector(query);
    this.data = null;
    this.threshold = 0.5;
    this.selected = null;
    this.isBelowShown = false;
    this.raw = null; // as Python told it
    this.reading = new (isLabelling ? Labels : Reading)({ send: (event) => this.trigger("reading", event), changed: () => this.#readingChanged() });
    this.measures = new Measures(() => this.#measuresChanged());
    this.stage = new Stage(this.$(".stage canvas"), this.measures, (measure) => this.film.label(measure), {
      select: (n) => this.select(n), hover: (at) => this.#showValue(at), hoverBox: (n) => this.panel.hover(n),
      window: () => this.film.windowChanged("own"), view: () => this.film?.viewChanged(), drawn: (draft) => this.#drawn(draft),
      handle: (id) => { this.measures.select(id); this.panel.openTab("measure"); },
    });
    this.film = new Film(root, this.stage, this.measures, {
      shown: () => { this.#showStatus(); this.#drawOpenTab(); }, view: () => this.#showWords(), scale: () => this.#scaleChanged(), veil: (text) => this.#veil(text),
      window: () => { this.#showWords(); this.histogram.draw(); },
    });
    this.panel = new Panel(this.$(".panel"), {
      select: (n, takeFocus) => { this.select(n, takeFocus); this.#centreSelected(); }, threshold: (value) => this.setThreshold(value),
      hover: (n) => { this.stage.boxes.hovered = n; this.stage.redraw(); }, below: () => this.act("below"), tab: () => this.#drawOpenTab(), details: (entry) => this.readingPanel?.showCalls(entry),
    });
    this.readingPanel = isLabelling ? this.#labelPanel() : new ReadingPanel(this.$(".panel"), this.reading, {
      select: (n) => { this.select(n, true, "verdict"); this.#centreSelected(); }, call: (name) => this.call(name),
      note: (n, text) => this.reading.note(n, text), send: (name, event) => this.trigger(name, event),
    });
    this.picker = new KindPicker(this.$(".panel"), {
      chosen: (name, code) => { this.reading.classify(this.selected, name, code); this.stage.canvas.focus(); }, closed: () => this.stage.canvas.focus(),
    });
    this.progress = new Progress(this.$(".progress"), { cancel: () => this.trigger("cancel", true), open: (key) => this.trigger("open", key) });
    this.stage.editor = new BoxEditor(this.stage.viewport, this.stage.boxes, {
      may: (box) => this.reading.canChange && box.call !== "dismissed", done: (n, box) => this.reading.move(n, box),
    });
    this.measurePanel = new MeasurePanel(this.$(".panel"), this.measures, { forgetScale: () => this.#reportScale(this.film.enterScale(null)) });
    this.histogram = new HistogramPlot(this.$(".histogram"), { window: (lo, hi) => this.film.setWindow(lo, hi, "own") });
    this.map = new MapControl(root, {
      change: (map) => { this.stage.map = map; this.stage.redraw(); },
      look: (look) => { this.stage.mapLook = look; this.stage.redraw(); },
    });
    this.strip = new Strip(this.$(".strip"), { open: (key) => this.trigger("open", key), remove: (key) => this.trigger("remove", key) });
    this.dialog = new ScaleDialog(this.$(".scale-form"), {
      entered: (mm, px) => this.#reportScale(this.film.enterScale({ lengthMm: mm, lengthPx: px })),
      closed: () => { this.#useTool("pan"); this.$(".stage canvas").focus(); },
    });
    this.toolbar = new Toolbar(this.$(".tools"), {
      act: (name) => this.act(name), preset: (number) => this.film.preset(number), filter: (name) => this.film.use(name),
    });
    this.acts = actsOf(this);
    this.$(".keys").append(...keyList(isLabelling));
    root.addEventListener("keydown", (event) => this.#key(event));
    root.addEventListener("keyup", (event) => { if (event.key.toLowerCase() === "m") this.acts.loupeOff(); });
    this.#useTool("pan");
  }

  #labelPanel() {
    return new LabelPanel(this.$(".panel"), this.reading, {
      call: (name) => this.call(name), note: (n, text) => this.reading.note(n, text), classify: (digit) => this.classifyBy(digit),
      acceptAll: () => this.acceptAll(), waiting: () => this.reading.waiting(this.threshold).length, leave: () => this.stage.canvas.focus(),
      send: (name, event) => this.trigger(name, event),
    });
  }

  destroy() {
    this.stage.destroy();
    this.film.destroy();
    this.histogram.destroy();
    this.map.destroy();
    clearTimeout(this.reporting);
    clearTimeout(this.ahead);
  }

  // --- data in ------------------------------------------------------------------------------
  update(data) {
    const before = this.data;
    if (this.raw && JSON.stringify(this.raw) === JSON.stringify(data)) return;
    this.raw = data;
    this.data = { ...data };
    if (before && before.reading?.inspection_id !== data.reading?.inspection_id) this.readingPanel.takeNotes();
    this.isUpdating = true;
    this.reading.update(data.reading ?? null, data.detections);
    this.data.detections = this.reading.entries();
    this.root.dataset.state = data.status.state;
    if (!before || before.threshold_rev !== data.threshold_rev) this.threshold = data.threshold;
    if (!data.image) this.film.clear();
    else if (data.image.sha256 !== before?.image?.sha256) this.film.load(data.image);
    else this.film.renew(data.image);
    if (before?.result_id !== data.result_id || before?.reading?.inspection_id !== data.reading?.inspection_id) this.#newResult(this.data);
    else this.#fillPanel();
    this.isUpdating = false;
    this.readingPanel.update(data.reading ?? null);
    this.progress.fill(data.progress ?? null);
    this.strip.fill(data.batch, data.current);
    this.#showStatus();
    if (data.prefetch !== before?.prefetch) this.#fetchAhead();
  }

  // The pixels of the image that comes next lie in the browser's own store by then.
  #fetchAhead() {
    clearTimeout(this.ahead);
    const { prefetch: url } = this.data;
    if (url) this.ahead = setTimeout(() => fetch(url, { priority: "low" }).then((answer) => answer.arrayBuffer()).catch(() => {}), FETCH_AHEAD_AFTER_MS);
  }

  #newResult(data) {
    this.selected = null;
    this.map.reset(data.links?.map ?? null);
    this.#fillPanel();
    const kept = rememberedSelection(data.image?.sha256);
    const isThere = [...this.stage.boxes.shown, ...this.stage.boxes.below].some((box) => box.n === kept);
    const first = this.isLabelling ? (this.reading.waiting(this.threshold)[0] ?? null) : null;
    this.select(isThere ? kept : first);
    if (data.links) this.map.prefetch(data.detections.find((d) => d.probability >= this.threshold)?.n);
  }

  // --- reading ------------------------------------------------------------------------------
  get canChange() { return this.reading.canChange && this.selected !== null; }
  get isMeasuring() { return this.$("[data-tab=measure]").getAttribute("aria-selected") === "true"; }

  #readingChanged() {
    if (!this.data || this.isUpdating) return;
    this.data.detections = this.reading.entries();
    this.#fillPanel();
    this.readingPanel.show();
    this.stage.redraw();
  }

  call(name) {
    const { selected } = this;
    if (!this.canChange) return;
    if (name === "confirm") this.reading.confirm(selected);
    else if (name === "dismiss") this.reading.dismiss(selected);
    else if (name === "classify") this.#pick();
    if (this.isLabelling && name !== "classify") return this.#nextWaiting(selected);
    const entry = this.data.detections.find((d) => d.n === selected);
    if (entry && name !== "classify") this.$(".said").textContent = indicationLabel(entry, this.film.scale);
  }

  // --- labelling ----------------------------------------------------------------------------
  classifyBy(digit) {
    if (this.canChange && CLASS_DIGITS[digit - 1]) this.reading.classify(this.selected, CLASS_DIGITS[digit - 1], null);
  }

  acceptAll() {
    this.reading.acceptAll?.(this.threshold);
    this.$(".said").textContent = `${this.reading.list.length} labels`;
  }

  duplicate() {
    const n = this.canChange ? this.reading.duplicate?.(this.selected, this.stage.source) : null;
    if (n) this.select(n, true);
  }

  // The next suggestion that nobody said anything about; without one the selection stays.
  #nextWaiting(from) {
    const waiting = this.reading.waiting(this.threshold);
    const next = waiting.find((n) => n > from) ?? waiting[0];
    if (next === undefined) return;
    this.select(next, true);
    this.#centreSelected();
  }

  #pick() {
    const entry = this.data.detections.find((d) => d.n === this.selected);
    if (entry) this.picker.open(entry.class, this.data.reading.kinds, `What is ${entry.n}?`);
  }

  #fillPanel() {
    this.panel.fill(this.data, this.film.scale);
    this.setThreshold(this.threshold, true);
    this.panel.select(this.selected);
    this.#measuresChanged();
  }

  // --- status -------------------------------------------------------------------------------
  #veil(text) {
    this.$(".veil").hidden = !text;
    this.$(".veil").textContent = text || "";
  }

  #showStatus() {
    const { status, image } = this.data;
    this.#veil(status.message || (image && this.root.dataset.ready === "0" ? "Loading the pixels" : this.film.work));
    this.$(".panel").classList.toggle("working", status.state === "working");
    this.panel.setLinks(status.state === "ready" ? this.data.links : null, this.threshold, this.selected);
    this.#showWords();
  }

  // How the picture differs from the recorded one, always on the image.
  #showWords() {
    const words = this.film.words();
    if (this.isBelowShown && this.stage.boxes.below.length) words.push(`${this.stage.boxes.below.length} below the threshold shown`);
    this.$(".shown-as").textContent = words.join(" · ");
    this.$(".shown-as").hidden = !words.length;
  }

  #showValue(at) {
    const value = at && at.value !== null && (Number.isInteger(at.value) ? at.value : at.value.toPrecision(5));
    this.$(".at").textContent = at ? `x ${at.x} y ${at.y}${at.value === null ? "" : ` = ${value}`}` : "";
  }

  #drawOpenTab() {
    this.histogram?.show(this.stage.picture ? this.stage.source : null);
    this.#measuresChanged();
  }

  // --- threshold and selection --------------------------------------------------------------
  setThreshold(value, isQuiet = false) {
    this.threshold = Math.round(value * 100) / 100;
    if (!this.data) return;
    const { boxes } = this.stage;
    boxes.shown = this.data.detections.filter((d) => isAbove(d, this.threshold));
    boxes.below = this.isBelowShown ? this.data.detections.filter((d) => !isAbove(d, this.threshold)) : [];
    this.panel.filter(this.threshold, this.isBelowShown);
    if (this.selected !== null && ![...boxes.shown, ...boxes.below].some((b) => b.n === this.selected)) this.select(null);
    this.stage.redraw();
    this.#showStatus();
    if (!isQuiet) this.#reportLater();
  }

  #reportLater() {
    clearTimeout(this.reporting);
    this.reporting = setTimeout(() => this.report("threshold", this.threshold), REPORT_AFTER_MS);
  }

  select(n, takeFocus = false, tab = "indications") {
    if (n === this.selected && n !== null && !takeFocus) n = null;
    this.selected = n;
    this.stage.boxes.selected = n;
    if (!this.isUpdating) rememberSelection(this.data.image?.sha256, n);
    if (n !== null) this.panel.openTab(tab);
    this.panel.select(n, takeFocus);
    const detection = this.data.detections.find((d) => d.n === n);
    this.$(".said").textContent = detection ? indicationLabel(detection, this.film.scale) : "";
    this.map.prefetch(detection?.isAdded ? null : n);
    this.map.show(detection?.isAdded ? null : n);
    this.stage.redraw();
    this.#showStatus();
  }

  #centreSelected() {
    const detection = this.data.detections.find((d) => d.n === this.selected);
    if (detection && this.stage.picture) this.stage.viewport.centre(detection.box);
  }

  step(by) {
    const listed = [...this.stage.boxes.shown, ...this.stage.boxes.below];
    if (!listed.length) return;
    const at = listed.findIndex((b) => b.n === this.selected);
    const next = at < 0 ? (by > 0 ? 0 : listed.length - 1) : (at + by + listed.length) % listed.length;
    if (listed[next].n !== this.selected) this.select(listed[next].n);
    this.#centreSelected();
  }

  // --- measuring ----------------------------------------------------------------------------
  #measuresChanged() {
    if (!this.measurePanel) return;
    this.measurePanel.show((measure) => this.film.reading(measure), this.film.scale);
    this.film.keep();
    this.stage.redraw();
  }

  #drawn({ kind, a, b }) {
    if (kind === "window") {
      this.film.windowOfRegion(a, b);
      this.#useTool("pan");
    } else if (kind === "box") this.#added(a, b);
    else if (kind === "scale") this.dialog.open(distanceOf({ a, b }));
    else {
      const measure = this.measures.add(kind, a, b);
      this.panel.openTab("measure");
      const reading = this.film.reading(measure);
      this.$(".said").textContent = [`${measure.id} ${reading.main}`, ...reading.rows.map(([name, text]) => `${name} ${text}`)].join(", ");
    }
  }

  #added(a, b) {
    const n = this.reading.add(boxBetween(a, b, this.stage.source));
    this.#useTool("pan");
    if (n === null) return;
    this.select(n, true);
    if (!this.isLabelling) this.#pick(); // a label is of the kind that was chosen last, a digit changes it
    else this.stage.canvas.focus();
  }

  // The point of the crosshair: the first one begins, the second one ends.
  takePoint() {
    const { drawing, isDrawing, tool, source } = this.stage;
    if (!isDrawing || !drawing.cursor || !source?.isFull) return;
    if (!drawing.draft) drawing.begin(tool, drawing.cursor);
    else {
      const draft = drawing.finish();
      if (draft) this.#drawn(draft);
    }
    this.stage.redraw();
  }

  toggleTool(tool) { this.#useTool(this.stage.tool === tool ? "pan" : tool); }

  #useTool(tool) {
    this.stage.use(tool);
    this.toolbar.showTool(tool);
  }

  #scaleChanged() {
    if (!this.data) return;
    this.panel.fill(this.data, this.film.scale);
    this.panel.filter(this.threshold, this.isBelowShown);
    this.panel.select(this.selected);
    this.#drawOpenTab();
  }

  #reportScale(event) { this.trigger("scale", event); }

  // --- keys ---------------------------------------------------------------------------------
  act(name) {
    if (name === "tool:box" && !this.reading.canChange) return;
    if (name?.startsWith("tool:")) this.toggleTool(name.slice(5));
    else this.acts[name]?.();
    this.#showStatus();
  }

  #key(event) {
    const name = actOf(event, this.isLabelling);
    const isTyping = event.target.matches("select, input, textarea") && !["escape", "submit"].includes(name);
    const isPressing = [" ", "Enter"].includes(event.key) && event.target.matches("button, summary, a") && name !== "submit";
    if (!name || isTyping || isPressing || !this.data) return;
    if (["Delete", "Backspace", "Enter"].includes(event.key) && !this.acts.isWanted(name)) return;
    this.act(name);
    event.preventDefault();
    event.stopPropagation();
  }
}
