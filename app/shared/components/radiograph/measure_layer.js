// Draws measures over the radiograph; points are taken by pointer or, with a crosshair, by keys.
import { linesPath, measuredLabel, paintLabel, rectanglePath, stroke, strokeOnShadow } from "./strokes.js";

const HANDLE_PX = 8;
const LEAST_DRAG_PX = 3;
const RECTANGLES = ["region", "window", "box"];
const MEASURE_COLOUR = "#f0d77b";

export class MeasureLayer {
  // measures: a Measures; label(measure): the text beside it.
  constructor(viewport, measures, label) {
    this.viewport = viewport;
    this.measures = measures;
    this.label = label;
    this.draft = null; // { kind, a, b }
    this.held = null; // { id, end } of a handle being dragged
    this.cursor = null; // crosshair of the keys, image px
  }

  begin(kind, point) { this.draft = { kind, a: point, b: point }; }

  // isStraight: hold lines to the nearest axis of the screen.
  move(point, isStraight = false) {
    if (this.held) {
      const { id, end } = this.held;
      const measure = this.measures.get(id);
      const { kind } = measure;
      this.held.now = { ...measure, [end]: isStraight && kind !== "region" ? straight(measure[end === "a" ? "b" : "a"], point) : point };
    } else if (this.draft) {
      const { kind, a } = this.draft;
      this.draft.b = isStraight && !RECTANGLES.includes(kind) ? straight(a, point) : point;
    }
  }

  // Ends drawing; the draft, or null when it was too small to mean anything.
  finish() {
    const { draft, held } = this;
    this.cancel();
    if (held?.now) this.measures.change(held.id, { a: held.now.a, b: held.now.b });
    if (!draft) return null;
    const [p, q] = [this.viewport.pointToScreen(draft.a), this.viewport.pointToScreen(draft.b)];
    return Math.hypot(p[0] - q[0], p[1] - q[1]) < LEAST_DRAG_PX ? null : draft;
  }

  cancel() {
    this.draft = null;
    this.held = null;
  }

  // Takes hold of the end of a measure near a point of the screen; returns its id.
  grab(x, y) {
    this.held = this.#handleAt(x, y);
    return this.held?.id ?? null;
  }

  isOverHandle(x, y) { return this.#handleAt(x, y) !== null; }

  #handleAt(x, y) {
    for (const { id, a, b } of this.measures.list.toReversed())
      for (const [end, point] of [["a", a], ["b", b]]) {
        const [px, py] = this.viewport.pointToScreen(point);
        if (Math.hypot(px - x, py - y) <= HANDLE_PX) return { id, end };
      }
    return null;
  }

  paint(context) {
    const { held, draft } = this;
    for (const measure of this.measures.list) {
      const now = held?.now && held.id === measure.id ? held.now : measure;
      this.#paintOne(context, now, measure.id === this.measures.selected);
    }
    if (draft) this.#paintOne(context, { id: "", bandPx: 1, ...draft }, true);
    if (this.cursor) this.#paintCursor(context, this.viewport.pointToScreen(this.cursor));
  }

  #paintOne(context, measure, isSelected) {
    const [p, q] = [this.viewport.pointToScreen(measure.a), this.viewport.pointToScreen(measure.b)];
    const path = RECTANGLES.includes(measure.kind) ? rectanglePath([...p, ...q]) : linesPath([p, q], tickOf(p, q, p), tickOf(p, q, q));
    if (measure.kind === "profile" && measure.bandPx > 1) this.#paintBand(context, measure, [p, q]);
    strokeOnShadow(context, path, isSelected ? 4 : 3, isSelected ? 2 : 1.25, MEASURE_COLOUR);
    const text = this.label(measure);
    if (text) this.#paintText(context, measuredLabel(context, text), p, q);
  }

  #paintBand(context, measure, line) {
    context.globalAlpha = 0.22;
    stroke(context, linesPath(line), measure.bandPx * this.viewport.zoom, MEASURE_COLOUR);
    context.globalAlpha = 1;
  }

  #paintText(context, label, p, q) {
    const [screenWidth, screenHeight] = this.viewport.size;
    const isSeen = ([x, y]) => x > 0 && y > 0 && x < screenWidth && y < screenHeight;
    const anchor = [p, q].filter(isSeen).toSorted(([x0], [x1]) => x1 - x0)[0];
    if (!anchor) return;
    const x = Math.min(anchor[0] + 8, screenWidth - label.width - 2);
    const y = Math.min(Math.max(2, anchor[1] - 8), screenHeight - 20);
    paintLabel(context, { ...label, x, y });
  }

  #paintCursor(context, [x, y]) {
    const arms = [[-1, 0], [1, 0], [0, -1], [0, 1]].map(([dx, dy]) => [[x + 3 * dx, y + 3 * dy], [x + 14 * dx, y + 14 * dy]]);
    strokeOnShadow(context, linesPath(...arms), 3, 1, "#ffffff");
  }
}

function straight(from, [x, y]) {
  return Math.abs(x - from[0]) > Math.abs(y - from[1]) ? [x, from[1]] : [from[0], y];
}

// A short stroke across the end of a line.
function tickOf(p, q, [x, y]) {
  const length = Math.hypot(q[0] - p[0], q[1] - p[1]) || 1;
  const [nx, ny] = [(-(q[1] - p[1]) / length) * 5, ((q[0] - p[0]) / length) * 5];
  return [[x - nx, y - ny], [x + nx, y + ny]];
}
