// A loop drawn freely over the radiograph: the boxes whose middle lies within it.
import { polygonPath, strokeOnShadow } from "./strokes.js";

const LEAST_STEP_PX = 3;

export class Lasso {
  constructor(viewport) {
    this.viewport = viewport;
    this.points = null; // on the screen, null while none is drawn
  }

  begin(x, y) { this.points = [[x, y]]; }

  move(x, y) {
    const [px, py] = this.points.at(-1);
    if (Math.hypot(x - px, y - py) >= LEAST_STEP_PX) this.points.push([x, y]);
  }

  cancel() { this.points = null; }

  // The boxes within the loop that was drawn.
  finish(boxes) {
    const { points } = this;
    this.points = null;
    return points ? boxes.filter(({ box }) => isWithin(this.#middle(box), points)) : [];
  }

  #middle(box) {
    const [x0, y0, x1, y1] = this.viewport.toScreen(box);
    return [(x0 + x1) / 2, (y0 + y1) / 2];
  }

  paint(context) {
    if (!this.points) return;
    strokeOnShadow(context, polygonPath(this.points), 3.5, 1.5, "#ffffff", [5, 4]);
  }
}

// Whether a point lies within a polygon: a line from it to the right crosses the edges an odd number of times.
export function isWithin([x, y], polygon) {
  let isInside = false;
  for (const [i, [ax, ay]] of polygon.entries()) {
    const [bx, by] = polygon[(i + 1) % polygon.length];
    if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) isInside = !isInside;
  }
  return isInside;
}
