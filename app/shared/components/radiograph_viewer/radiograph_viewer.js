// Glue: data from Python goes to the stage and the panels, actions of the user go back to Python, late and few.
import { element } from "../element.js";
import { mounted } from "../mounted.js";
import { isApart } from "../radiograph/boxes.js";
import { Measures } from "../radiograph/measures.js";
import { Stage } from "../radiograph/stage.js";
import { actionsOf } from "./actions.js";
import { BatchProgress, BatchStrip } from "./batch.js";
import { BoxEditor } from "./box_editor.js";
import { BoxesSwitch } from "./boxes_switch.js";
import { BulkBar } from "./bulk_bar.js";
import { Calls } from "./calls.js";
import { Drawn } from "./drawn.js";
import { Film } from "./film.js";
import { KeptMeasures } from "./kept_measures.js";
import { actionOf, keyList } from "./keys.js";
import { KindPicker } from "./kind_picker.js";
import { Labelling } from "./labelling.js";
import { Labels } from "./labels.js";
import { MapControl } from "./map_control.js";
import { MeasurePanel } from "./measure_panel.js";
import { recall, remember } from "./memory.js";
import { isInDialog, isKeptByControl, isTyping, listenToKeys } from "./page_keys.js";
import { Panel, indicationLabel } from "./panel.js";
import { HistogramPlot } from "./plots.js";
import { PolarityBar } from "./polarity_bar.js";
import { Radiograph } from "./radiograph.js";
import { Reading } from "./reading.js";
import { ReadingPanel } from "./reading_panel.js";
import { ScaleDialog } from "./scale_dialog.js";
import { Selection } from "./selection.js";
import { Toolbar } from "./toolbar.js";
import { ZoneControl } from "./zone_control.js";

const REPORT_AFTER_MS = 350;
const FETCH_AHEAD_AFTER_MS = 400; // the image on show comes first
const TOLD_FOR_MS = 4000;

class Viewer {
  // isLabelling: labels of an image are made, not a reading of an inspection; it stays so.
  constructor(root, isLabelling) {
    Object.assign(this, { root, isLabelling });
    this.$ = (query) => root.querySelector(query);
    this.data = null;
    this.calls = new Calls(this);
    this.drawn = new Drawn(this);
    this.selection = new Selection(this);
    this.labelling = isLabelling ? new Labelling(this) : null;
    this.threshold = 0.5;
    this.isBelowShown = false;
    this.reading = new (isLabelling ? Labels : Reading)({ send: (event) => this.trigger("reading", event), changed: () => this.#readingChanged() });
    this.measures = new Measures(() => this.#measuresChanged());
    this.keptMeasures = new KeptMeasures(this.measures, (event) => this.trigger("measures", event));
    this.stage = new Stage(this.$(".stage canvas"), this.measures, (measure) => this.radiograph.label(measure), {
      select: (n) => this.select(n), hover: (text) => { this.$(".at").textContent = text; }, hoverBox: (n) => this.panel.hover(n),
      pick: (n) => this.selection.toggle(n), lasso: (numbers) => { this.useTool("pan"); this.pick(numbers); }, zone: (zone) => this.zones.drawn(zone),
      window: () => this.radiograph.windowChanged("own"), view: () => this.radiograph?.viewChanged(), drawn: (draft) => this.drawn.take(draft),
      handle: (id) => { this.select(null); this.measures.select(id); this.panel.openTab("measure"); },
    });
    this.radiograph = new Radiograph(root, this.stage, this.measures, {
      shown: () => { this.showStatus(); this.#drawOpenTab(); this.film?.viewChanged(); }, view: () => { this.#showDifferences(); this.film?.viewChanged(); }, scale: () => this.#scaleChanged(), message: (text) => this.#showMessage(text),
      window: () => { this.#showDifferences(); this.histogram.draw(); this.film.redraw(); },
    });
    this.zones = new ZoneControl(root, this.stage, {
      report: (event) => this.trigger("zone", event), changed: () => this.#zoneChanged(), done: () => { this.useTool("pan"); this.stage.canvas.focus(); },
    });
    this.stage.viewport.mayWrap = true;
    this.film = new Film(root, this.stage, {
      report: (event) => this.trigger("seen", event), tell: (text) => this.tell(text),
      zone: () => this.zones,
    });
    this.panel = new Panel(this.$(".panel"), {
      select: (n, takeFocus) => { this.select(n, takeFocus); this.selection.centre(); }, threshold: (value) => this.setThreshold(value),
      dismissApart: () => this.dismissApart(), pick: (numbers, primary) => this.pick(numbers, primary), listed: () => this.setThreshold(this.threshold, true),
      hover: (n) => { this.stage.boxes.hovered = n; this.stage.redraw(); }, below: () => this.act("below"), tab: () => this.#drawOpenTab(), details: (entry) => this.readingPanel?.showCalls(entry),
    }, isLabelling);
    this.bulk = new BulkBar(this.$(".panel"), {
      call: (name) => (name === "classify" ? this.calls.call(name) : this.calls.callAndGoOn(name)), group: (code) => this.calls.group(code), left: () => this.stage.canvas.focus(),
    }, isLabelling);
    this.boxes = new BoxesSwitch(this.$(".boxes-hidden"), (isHidden) => {
      this.stage.boxes.isHidden = isHidden;
      this.$("[data-act=boxes]").setAttribute("aria-pressed", String(isHidden));
      this.stage.redraw();
    });
    this.readingPanel = isLabelling ? this.labelling.panel() : new ReadingPanel(this.$(".panel"), this.reading, {
      select: (n) => { this.select(n, true, "verdict"); this.selection.centre(); }, call: (name) => this.calls.call(name),
      note: (n, text) => this.reading.note(n, text),
      send: (name, event) => {
        if (name === "sign") { this.film.flush(); this.keptMeasures.flush(); }
        this.trigger(name, event);
      },
    });
    this.picker = new KindPicker(root, {
      chosen: (name, code, own) => { this.reading.classify(this.panel.picks.list, name, code, own); this.stage.canvas.focus(); }, closed: () => this.stage.canvas.focus(),
    });
    this.progress = new BatchProgress(this.$(".progress"), { cancel: () => this.trigger("cancel", true), open: (key) => this.trigger("open", key) });
    this.stage.editor = isLabelling ? this.labelling.editor() : new BoxEditor(this.stage.viewport, this.stage.boxes, {
      may: (box) => this.reading.canChange && box.call !== "dismissed" && this.panel.picks.size < 2, done: (n, box) => this.reading.move(n, box),
    });
    this.measurePanel = new MeasurePanel(this.$(".panel"), this.measures, { forgetScale: () => this.#reportScale(this.radiograph.enterScale(null)), typePitch: () => this.typePitch() });
    this.histogram = new HistogramPlot(this.$(".histogram"), { window: (lo, hi) => this.radiograph.setWindow(lo, hi, "own") });
    this.map = new MapControl(root, {
      change: (map) => { this.stage.map = map; this.stage.redraw(); if (this.data) this.#showLinks(); },
      look: (look) => { this.stage.mapLook = look; this.stage.redraw(); },
    });
    this.strip = new BatchStrip(this.$(".strip"), { open: (key) => this.trigger("open", key), remove: (key) => this.trigger("remove", key) });
    this.dialog = new ScaleDialog(this.$(".scale-form"), {
      entered: (mm, px, isBatch) => this.#reportScale(this.radiograph.enterScale({ lengthMm: mm, lengthPx: px }, isBatch)),
      typed: (text, isBatch) => this.#reportScale(this.radiograph.typePitch(text, isBatch)),
      closed: () => { this.useTool("pan"); this.$(".stage canvas").focus(); },
    });
    this.polarity = new PolarityBar(root, {
      state: (event) => this.trigger("polarity", event), closed: () => this.stage.canvas.focus(),
      said: (text) => { this.$(".said").textContent = text; this.#showMessage(text); },
    });
    this.toolbar = new Toolbar(this.$(".tools"), {
      act: (name) => this.act(name), preset: (number) => this.radiograph.preset(number), filter: (name) => this.radiograph.use(name),
    });
    this.actions = actionsOf(this);
    this.$("[data-tool=zone]").hidden = isLabelling;
    if (!isLabelling) for (const button of this.root.querySelectorAll("[data-tool=polygon], [data-act=copyPrevious]")) button.remove();
    this.$(".keys").append(element("div", { class: "key-columns" }, ...keyList(isLabelling)));
    this.$(".panel").addEventListener("change", (event) => this.#leave(event.target));
    this.$(".tools").addEventListener("change", (event) => this.#leave(event.target));
    this.deafen = listenToKeys(root, { down: (event) => this.#key(event), up: (event) => this.#keyUp(event) });
    this.useTool("pan");
  }

  destroy() {
    this.deafen();
    this.keptMeasures.flush();
    this.stage.destroy();
    this.film.destroy();
    this.radiograph.destroy();
    this.histogram.destroy();
    this.map.destroy();
    for (const timer of [this.reporting, this.ahead, this.telling]) clearTimeout(timer);
  }

  // --- data in ------------------------------------------------------------------------------
  update(data) {
    const before = this.data;
    this.data = { ...data };
    if (before && before.reading?.inspection_id !== data.reading?.inspection_id) this.readingPanel.takeNotes();
    this.isUpdating = true;
    const wasFirstLook = before?.reading?.is_first_look && before.reading.inspection_id === data.reading?.inspection_id;
    if (wasFirstLook && !data.reading.is_first_look) remember(`selected.${data.image?.sha256}`, null); // numbers are others now
    this.keptMeasures.before(data.reading);
    this.reading.update(data.reading ?? null, data.detections);
    this.zones.update(data.reading ?? null, data.image);
    this.data.detections = this.#entries();
    this.root.dataset.state = data.status.state;
    if (!before || before.threshold_rev !== data.threshold_rev) this.threshold = data.threshold;
    if (!data.image) this.radiograph.clear();
    else if (data.image.sha256 !== before?.image?.sha256) this.radiograph.load(data.image);
    else this.radiograph.renew(data.image);
    if (before?.result_id !== data.result_id || before?.reading?.inspection_id !== data.reading?.inspection_id) this.#newResult(this.data);
    else {
      // another rule or scale: what it rejects comes first again
      if (this.judgedFor !== data.reading?.judged_for) this.panel.begin();
      this.judgedFor = data.reading?.judged_for;
      this.#fillPanel();
    }
    this.isUpdating = false;
    this.keptMeasures.update(data.reading);
    this.$(".veiled").hidden = !data.reading?.is_first_look;
    this.film.update(data.image, data.reading);
    this.readingPanel.update(data.reading ?? null);
    this.progress.fill(data.progress ?? null);
    this.strip.fill(data.batch, data.current);
    this.polarity.fill(data.image, data.current, Boolean(data.reading) && !data.reading.is_open);
    this.showStatus();
    if (data.prefetch !== before?.prefetch) this.#fetchAhead();
  }

  // The pixels of the image that comes next lie in the browser's own store by then.
  #fetchAhead() {
    clearTimeout(this.ahead);
    const { prefetch: url } = this.data;
    if (url) this.ahead = setTimeout(() => fetch(url, { priority: "low" }).then((answer) => answer.arrayBuffer()).catch(() => {}), FETCH_AHEAD_AFTER_MS);
  }

  #newResult(data) {
    this.selection.clear();
    this.panel.begin();
    this.map.reset(data.links, data.maps);
    this.#fillPanel();
    const kept = recall(`selected.${data.image?.sha256}`);
    const isThere = [...this.stage.boxes.shown, ...this.stage.boxes.below].some((box) => box.n === kept);
    this.judgedFor = data.reading?.judged_for;
    const first = this.isLabelling ? (this.reading.waiting(this.threshold)[0] ?? null) : null;
    this.select(isThere ? kept : first);
    if (data.links) this.map.prefetch(data.detections.find((d) => d.probability >= this.threshold)?.n ?? null);
  }

  // --- reading ------------------------------------------------------------------------------
  get canChange() { return this.reading.canChange && this.selected !== null; }
  get isMeasuring() { return this.$("[data-tab=measure]").getAttribute("aria-selected") === "true"; }

  #entries() { return this.zones.tagged(this.reading.entries()); }

  #zoneChanged() {
    this.data.detections = this.#entries();
    this.#fillPanel();
    this.film.redraw();
    this.stage.redraw();
  }

  // All that the model reports outside of the zone and nobody assessed, as one step.
  dismissApart() {
    const numbers = this.stage.boxes.shown.filter((entry) => isApart(entry) && entry.call === "open").map(({ n }) => n);
    if (!numbers.length || !this.reading.canChange) return;
    this.reading.dismiss(numbers);
    this.tell(`${numbers.length} outside the ${this.zones.word} dismissed (q: as what); Ctrl + Z takes it back`);
  }

  #readingChanged() {
    if (!this.data || this.isUpdating) return;
    this.data.detections = this.#entries();
    this.#fillPanel();
    this.readingPanel.show();
    this.stage.redraw();
  }

  entry(n) { return this.data.detections.find((d) => d.n === n); }

  say() {
    const entry = this.entry(this.selected);
    if (entry) this.$(".said").textContent = indicationLabel(entry, this.radiograph.scale);
  }

  // A line on the image that goes away again.
  tell(text) {
    clearTimeout(this.telling);
    Object.assign(this.$(".told"), { textContent: text, hidden: false });
    this.telling = setTimeout(() => { this.$(".told").hidden = true; }, TOLD_FOR_MS);
  }

  // Groups are of ISO 6520-1; castings have kinds and levels.
  get canGroup() { return this.data.reading?.family !== "casting"; }

  pickKind() {
    const entry = this.entry(this.selected);
    const { size } = this.panel.picks;
    if (entry) this.picker.open(entry.class, this.data.reading, size > 1 ? `What are these ${size}?` : `What is ${entry.number ?? entry.n}?`, this.panel.rows.get(entry.n));
  }

  #fillPanel() {
    this.panel.fill(this.data, this.radiograph.scale);
    this.setThreshold(this.threshold, true);
    this.#measuresChanged();
  }

  // --- status -------------------------------------------------------------------------------
  #showMessage(text) {
    this.$(".veil").hidden = !text;
    this.$(".veil").textContent = text || "";
  }

  showStatus() {
    const { status, image } = this.data;
    this.#showMessage(status.message || (image && this.root.dataset.ready === "0" ? "Loading the pixels" : this.radiograph.work));
    this.$(".panel").classList.toggle("working", status.state === "working");
    this.#showLinks();
    this.#showDifferences();
  }

  #showLinks() {
    const { status, links } = this.data;
    this.panel.setLinks(status.state === "ready" ? links : null, this.threshold, this.selected, this.map.method.value);
  }

  // Says on the image how the picture differs from the recorded one.
  #showDifferences() {
    const texts = this.radiograph.differences();
    const { strips } = this.stage.viewport;
    if (strips) texts.push(`${this.zones.band ? this.zones.word : "film"} in ${strips.length} strips${this.#notOnShow()} (= in one piece)`);
    if (this.isBelowShown && this.stage.boxes.below.length) texts.push(`${this.stage.boxes.below.length} below the threshold shown`);
    this.$(".shown-as").textContent = texts.join(" · ");
    this.$(".shown-as").hidden = !texts.length;
  }

  // Strips follow the weld: what is reported elsewhere on the film is told.
  #notOnShow() {
    const { viewport, boxes } = this.stage;
    const count = boxes.shown.filter(({ box }) => !viewport.isOnShow(box)).length;
    return count ? `, ${count} outside of them` : "";
  }

  #drawOpenTab() {
    this.histogram?.show(this.stage.picture ? this.stage.source : null);
    this.#measuresChanged();
  }

  // --- threshold and selection --------------------------------------------------------------
  setThreshold(value, isQuiet = false) {
    this.threshold = Math.round(value * 100) / 100;
    if (!this.data) return;
    if (this.isLabelling && this.reading.threshold !== this.threshold) this.#renumber();
    const parts = this.panel.parts(this.threshold);
    const below = this.isBelowShown ? parts.below : [];
    Object.assign(this.stage.boxes, { shown: parts.shown, below, aside: parts.left.filter((entry) => entry.call !== "candidate") });
    this.panel.show(parts, this.threshold, this.isBelowShown);
    this.film.redraw();
    this.selection.keep(new Set([...parts.shown, ...below].map(({ n }) => n)));
    this.showStatus();
    if (!isQuiet) this.#reportLater();
  }

  // Other labels and suggestions are on show: they are numbered anew.
  #renumber() {
    this.reading.threshold = this.threshold;
    this.data.detections = this.#entries();
    this.panel.fill(this.data, this.radiograph.scale);
    this.readingPanel.show();
  }

  #reportLater() {
    clearTimeout(this.reporting);
    this.reporting = setTimeout(() => this.setState("threshold", this.threshold), REPORT_AFTER_MS);
  }

  get selected() { return this.selection.n; }
  select(n, takeFocus, tab) { this.selection.select(n, takeFocus, tab); }
  pick(numbers, primary) { this.selection.pick(numbers, primary); }

  // --- measuring ----------------------------------------------------------------------------
  #measuresChanged() {
    if (!this.measurePanel) return;
    this.measurePanel.show((measure) => this.radiograph.reading(measure), this.radiograph.scale);
    this.radiograph.keep();
    this.keptMeasures.changed();
    this.stage.redraw();
  }

  typePitch() { if (!this.isLabelling) this.dialog.openTyped(this.data.image?.n_together); }

  // The first look is done: everything marked is saved by now, the model comes on show.
  unveil() { this.readingPanel.unveil?.(); }

  toggleTool(tool) { this.useTool(this.stage.tool === tool ? "pan" : tool); }

  useTool(tool) {
    this.zones.edit(tool === "zone");
    this.stage.use(tool);
    this.toolbar.showTool(tool);
  }

  #scaleChanged() {
    if (!this.data) return;
    this.panel.fill(this.data, this.radiograph.scale);
    this.setThreshold(this.threshold, true);
    this.#drawOpenTab();
  }

  #reportScale(event) { this.trigger("scale", event); }

  // --- keys ---------------------------------------------------------------------------------
  act(name) {
    if ((["tool:box", "tool:polygon"].includes(name) && !this.reading.canChange) || (name === "tool:polygon" && !this.isLabelling) || (name === "tool:zone" && !this.zones.canChange)) return;
    if (name?.startsWith("tool:")) this.toggleTool(name.slice(5));
    else this.actions[name]?.();
    this.showStatus();
  }

  // A key means the same wherever the focus is; text fields, dialogs and what a control needs are left alone.
  #key(event) {
    const name = actionOf(event, this.isLabelling);
    if (!name || !this.data || isInDialog(event, this.$(".keys"))) return;
    if (isTyping(event) ? !["escape", "submit"].includes(name) : isKeptByControl(event) && name !== "submit") return;
    if (!this.actions.isWanted(name)) return;
    this.act(name);
    event.preventDefault();
    event.stopPropagation();
  }

  #keyUp(event) {
    const key = event.key.toLowerCase();
    if (key === "m") this.actions.loupeOff();
    else if (key === "o") this.actions.boxesReleased();
  }

  // A choice was made: arrows mean images and indications again.
  #leave(control) { if (control.matches("select")) this.stage.canvas.focus(); }
}

export default mounted((parent, data) => new Viewer(parent.querySelector(".bench"), Boolean(data.reading?.is_labelling)));
