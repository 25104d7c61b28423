// A polygon while it is drawn, corner by corner; the first corner, Enter or a double click closes it.
import { stroke, strokeOnShadow } from "./strokes.js";

const CLOSE_PX = 8; // from the first corner, on the screen
const SAME_PX = 3;

export class PolygonDraft {
  constructor(viewport) {
    this.viewport = viewport;
    this.cancel();
  }

  get isBegun() { return this.points.length > 0; }

  cancel() { Object.assign(this, { points: [], pointer: null }); }

  // Where the next corner would come, on the image.
  move(point) { this.pointer = point; }

  #isNear(a, b, within) {
    const [p, q] = [a, b].map((point) => this.viewport.pointToScreen(point));
    return Math.hypot(p[0] - q[0], p[1] - q[1]) <= within;
  }

  // Adds a corner; the polygon when that closed it, else null.
  add(point) {
    const { points } = this;
    if (points.length > 2 && this.#isNear(point, points[0], CLOSE_PX)) return this.finish();
    if (!points.length || !this.#isNear(point, points.at(-1), SAME_PX)) points.push(point);
    this.pointer = point;
    return null;
  }

  takeBack() { this.points.pop(); }

  // The polygon; null, and it stays, while it has no area.
  finish() {
    if (this.points.length < 3) return null;
    const { points } = this;
    this.cancel();
    return points;
  }

  paint(context) {
    if (!this.isBegun) return;
    const places = [...this.points, ...(this.pointer ? [this.pointer] : [])].map((point) => this.viewport.pointToScreen(point));
    const path = new Path2D();
    for (const [i, [x, y]] of places.entries()) path[i ? "lineTo" : "moveTo"](x, y);
    strokeOnShadow(context, path, 3.5, 1.5, "#ffffff");
    const closing = new Path2D();
    closing.moveTo(...places.at(-1));
    closing.lineTo(...places[0]);
    if (places.length > 2) stroke(context, closing, 1, "#ffffff", [4, 4]);
    for (const [i, [x, y]] of places.slice(0, this.points.length).entries()) {
      const side = i ? 6 : 9; // the first one closes
      context.fillStyle = "#0c0e10";
      context.fillRect(x - side / 2 - 1, y - side / 2 - 1, side + 2, side + 2);
      context.fillStyle = "#ffffff";
      context.fillRect(x - side / 2, y - side / 2, side, side);
    }
  }
}
