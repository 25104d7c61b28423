// The zone that is judged: its outline over the radiograph, and its edges under the pointer.
import { isWithin } from "./lasso.js";
import { stroke, strokeOnShadow } from "./strokes.js";

const GRIP_PX = 9;
const LEAST_STEP_PX = 12;
const COLOUR = "#9fd8b4";

// Whether a box lies in a zone: its middle decides, as on the server (core/domain/zone.py).
export const holds = ({ points }, [x0, y0, x1, y1]) => isWithin([(x0 + x1) / 2, (y0 + y1) / 2], points);

export class ZoneLayer {
  constructor(viewport) {
    Object.assign(this, { viewport, zone: null, isEditing: false, isRedrawing: false, held: null });
  }

  // zone: { points, is_band } in image px, null for none.
  show(zone) {
    this.zone = zone;
    this.held = null;
  }

  #sides() {
    const { points, is_band: isBand } = this.zone;
    const half = points.length / 2;
    return isBand ? [points.slice(0, half), points.slice(half)] : [[...points, points[0]]];
  }

  #path(lines) {
    const path = new Path2D();
    for (const line of lines) for (const [i, point] of line.entries()) path[i ? "lineTo" : "moveTo"](...this.viewport.pointToScreen(point));
    return path;
  }

  paint(context) {
    if (this.held?.drawn) {
      return strokeOnShadow(context, this.#path([this.held.drawn]), 3.5, 1.5, COLOUR, [5, 4]);
    }
    if (!this.zone) return;
    const path = this.#path(this.#sides());
    if (!this.isEditing) return stroke(context, path, 1, COLOUR, [1, 5]);
    strokeOnShadow(context, path, 3.5, 1.5, COLOUR);
    for (const [x, y] of this.zone.points.map((point) => this.viewport.pointToScreen(point))) {
      context.fillStyle = "#0c0e10";
      context.fillRect(x - 4, y - 4, 8, 8);
      context.fillStyle = COLOUR;
      context.fillRect(x - 3, y - 3, 6, 6);
    }
  }

  // What a pointer would move: { points: their indices }, null for nothing.
  partAt(x, y) {
    if (!this.zone) return null;
    const screen = this.zone.points.map((point) => this.viewport.pointToScreen(point));
    const corner = screen.findIndex(([px, py]) => Math.hypot(px - x, py - y) <= GRIP_PX);
    if (corner >= 0) return { points: [corner] };
    const count = screen.length;
    for (let at = 0; at < count; at += 1) {
      if (distanceTo([x, y], screen[at], screen[(at + 1) % count]) > GRIP_PX) continue;
      if (!this.zone.is_band) return { points: [at, (at + 1) % count] };
      const half = count / 2;
      if (at === half - 1 || at === count - 1) continue; // the ends of the band are those of the film
      return { points: Array.from({ length: half }, (_, i) => i + (at < half ? 0 : half)) };
    }
    return null;
  }

  cursorAt(x, y) { return this.isRedrawing ? "crosshair" : this.partAt(x, y) ? "move" : "grab"; }

  begin(x, y) {
    const from = this.viewport.toImage(x, y);
    this.held = this.isRedrawing ? { drawn: [from], last: [x, y] } : { ...this.partAt(x, y), from, start: this.zone.points.map((point) => [...point]) };
  }

  move(x, y) {
    const { held } = this;
    const point = this.viewport.toImage(x, y);
    if (held.drawn) {
      if (Math.hypot(x - held.last[0], y - held.last[1]) < LEAST_STEP_PX) return;
      held.drawn.push(point);
      held.last = [x, y];
      return;
    }
    const [dx, dy] = [point[0] - held.from[0], point[1] - held.from[1]];
    const [width, height] = this.viewport.image;
    const isAcrossX = this.zone.is_band && height > width; // a band moves across the weld only
    const isAcrossY = this.zone.is_band && !isAcrossX;
    const limit = (value, high) => Math.min(high, Math.max(0, value));
    this.zone = { ...this.zone, points: held.start.map(([px, py], i) => (
      held.points.includes(i) ? [limit(px + (isAcrossY ? 0 : dx), width), limit(py + (isAcrossX ? 0 : dy), height)] : [px, py])) };
  }

  cancel() {
    if (this.held?.start) this.zone = { ...this.zone, points: this.held.start };
    this.held = null;
  }

  // The zone as it is now, null when nothing changed.
  finish() {
    const { held } = this;
    this.held = null;
    if (!held) return null;
    if (held.drawn) {
      if (held.drawn.length < 4) return null;
      this.isRedrawing = false;
      const every = Math.ceil(held.drawn.length / 60);
      this.zone = { points: held.drawn.filter((_, i) => i % every === 0), is_band: false };
    } else if (held.start.every((point, i) => point.every((value, k) => value === this.zone.points[i][k]))) return null;
    return this.zone;
  }
}

function distanceTo([x, y], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const along = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - ax - along * dx, y - ay - along * dy);
}
