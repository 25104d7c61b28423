// What an annotator does beyond reading: classes by digit, all suggestions at once, copies, polygons.
import { LabelEditor } from "./label_editor.js";
import { CLASS_DIGITS, LabelPanel, offeredOwn } from "./label_panel.js";
import { countsByClass } from "./labels.js";

export class Labelling {
  // viewer: a Viewer whose reading is Labels.
  constructor(viewer) { this.viewer = viewer; }

  get labels() { return this.viewer.reading; }
  get #chosen() { return this.viewer.panel.picks.list; }
  get #image() { return this.viewer.stage.source; }

  panel() {
    const { viewer } = this;
    viewer.$("[data-tool=box]").title = "New box (n)";
    viewer.$("[data-tool=lasso]").title = "Lasso: select several (q, or Shift and drag)";
    return new LabelPanel(viewer.$(".panel"), viewer.reading, this, {
      call: (name) => viewer.calls.call(name), note: (n, text) => viewer.reading.note(n, text),
      look: () => this.nextWaiting(viewer.selected ?? 0), leave: () => viewer.stage.canvas.focus(), send: (name, event) => viewer.trigger(name, event),
    });
  }

  editor() {
    const { viewer, labels } = this;
    return new LabelEditor(viewer.stage.viewport, viewer.stage.boxes, {
      may: (box) => labels.canChange && box.call !== "dismissed", done: (n, box) => labels.move(n, box),
      take: (n) => viewer.select(n, true), moved: (numbers, dx, dy) => labels.moveAll(numbers, dx, dy), shaped: (n, polygon) => labels.shape(n, polygon),
    });
  }

  // The class of all that is selected; of the next box that is drawn where nothing is.
  classify(digit) {
    const { viewer, labels } = this;
    const name = CLASS_DIGITS[digit - 1];
    if (!labels.canChange || !(name in (viewer.data.reading?.kinds ?? {}))) return;
    const chosen = this.#chosen;
    labels.classify(chosen, name, null);
    if (!chosen.length) viewer.tell(`the next box is drawn as ${name}`);
  }

  // The own class at a place of the list, from 1.
  classifyOwn(place) {
    const own = offeredOwn(this.viewer.data.reading)[place - 1];
    if (!own || !this.labels.canChange) return;
    const chosen = this.#chosen;
    this.labels.classify(chosen, own.class, null, own.code);
    if (!chosen.length) this.viewer.tell(`the next box is drawn as ${own.name}`);
  }

  // { count, words } of what `acceptAll` would take, such as "3 porosity, 2 crack".
  get acceptable() {
    const entries = this.labels.acceptable(this.viewer.threshold);
    return { count: entries.length, words: countsByClass(entries) };
  }

  acceptAll() {
    const { words } = this.acceptable;
    if (!this.labels.acceptAll(this.viewer.threshold)) return;
    const left = this.labels.waiting(this.viewer.threshold).length;
    this.viewer.tell(`accepted: ${words}${left ? `; ${left} left that an inspector dismissed` : ""}`);
  }

  // { count, words } of the suggestions that nobody answered.
  get unanswered() {
    const waiting = new Set(this.labels.waiting(this.viewer.threshold));
    return { count: waiting.size, words: countsByClass(this.labels.entries().filter(({ n }) => waiting.has(n))) };
  }

  duplicate() {
    if (!this.labels.canChange || !this.#chosen.length) return;
    const numbers = this.labels.duplicate(this.#chosen, this.#image);
    if (numbers) this.viewer.pick(numbers);
  }

  // The labels of the image before this one, selected, so that keys and a drag move them together.
  copyPrevious() {
    const { viewer, labels } = this;
    const previous = viewer.data?.reading?.previous;
    if (!labels.canChange) return;
    if (!previous?.labels.length) return viewer.tell(previous ? `${previous.name} has no label` : "no image with labels came before this one");
    const { numbers, left } = labels.copy(previous.labels, this.#image);
    if (numbers.length) viewer.pick(numbers);
    const more = left ? `${left} left out: there already, or outside of this image` : "";
    viewer.tell([numbers.length ? `${numbers.length} copied from ${previous.name}` : "", more].filter(Boolean).join("; "));
  }

  // Selects the next suggestion that waits; without one the selection stays.
  nextWaiting(from) {
    const waiting = this.labels.waiting(this.viewer.threshold);
    const next = waiting.find((n) => n > from) ?? waiting[0];
    if (next === undefined) return;
    this.viewer.select(next, true);
    this.viewer.selection.centre();
  }

  // A polygon was drawn.
  drawn(points) {
    const n = this.labels.addPolygon(points);
    if (n !== null) this.viewer.select(n, true);
    this.viewer.stage.canvas.focus();
  }

  turn(degrees) { if (this.labels.canChange) this.viewer.stage.editor.turn(degrees, this.#image); }
}
