// Moves and resizes the selected box: by its edges and corners, or by keys.
import { boxBetween, isMoved, shifted } from "./geometry.js";

const GRIP_PX = 7;
const GRIPS = { nw: [0, 0], n: [0.5, 0], ne: [1, 0], e: [1, 0.5], se: [1, 1], s: [0.5, 1], sw: [0, 1], w: [0, 0.5] };
const CURSORS = { nw: "nwse-resize", se: "nwse-resize", ne: "nesw-resize", sw: "nesw-resize", n: "ns-resize", s: "ns-resize", e: "ew-resize", w: "ew-resize", move: "move" };

export class BoxEditor {
  // boxes: the BoxLayer; may(box): whether it can be changed; done(n, box): it was changed.
  constructor(viewport, boxes, { may, done }) {
    Object.assign(this, { viewport, boxes, may, done });
    this.held = null;
  }

  // The selected box, null where it cannot be changed.
  get box() {
    const box = this.boxes.find(this.boxes.selected);
    return box && this.may(box) ? box : null;
  }

  // The part of the selected box at a point of the screen, null when there is none.
  partAt(x, y) {
    const box = this.box;
    if (!box) return null;
    const [x0, y0, x1, y1] = this.boxes.frameOf(box) ?? [];
    if (x0 === undefined || x < x0 - GRIP_PX || x > x1 + GRIP_PX || y < y0 - GRIP_PX || y > y1 + GRIP_PX) return null;
    for (const [name, [fx, fy]] of Object.entries(GRIPS))
      if (Math.abs(x0 + fx * (x1 - x0) - x) <= GRIP_PX && Math.abs(y0 + fy * (y1 - y0) - y) <= GRIP_PX) return name;
    const isInside = x > x0 + GRIP_PX && x < x1 - GRIP_PX && y > y0 + GRIP_PX && y < y1 - GRIP_PX;
    return isInside ? null : "move";
  }

  // Whether a press that was no drag selects what is there.
  get isClickable() { return false; }

  cursorAt(x, y) { return CURSORS[this.partAt(x, y)] ?? null; }

  begin(x, y) {
    const box = this.box;
    this.held = { n: box.n, part: this.partAt(x, y), from: this.viewport.toImage(x, y), start: [...box.box], screen: this.viewport.toScreen(box.box) };
  }

  move(x, y, image) {
    const { held } = this;
    const [px, py] = this.viewport.toImage(x, y);
    const [dx, dy] = [px - held.from[0], py - held.from[1]];
    const box = this.boxes.find(held.n);
    if (box) box.box = held.part === "move" ? shifted(held.start, dx, dy, image) : this.#resized(held, x, y, image);
  }

  // A corner of the screen is not the same corner of a turned or flipped image: work on the screen.
  #resized({ part, screen, from }, x, y, image) {
    const [sx, sy] = this.viewport.pointToScreen(from);
    const [x0, y0, x1, y1] = screen;
    const to = [
      part.includes("w") ? x0 + x - sx : x0, part.includes("n") ? y0 + y - sy : y0,
      part.includes("e") ? x1 + x - sx : x1, part.includes("s") ? y1 + y - sy : y1,
    ];
    return boxBetween(this.viewport.toImage(to[0], to[1]), this.viewport.toImage(to[2], to[3]), image);
  }

  cancel() {
    const box = this.held && this.boxes.find(this.held.n);
    if (box) box.box = this.held.start;
    this.held = null;
  }

  finish() {
    const { held } = this;
    this.held = null;
    const box = held && this.boxes.find(held.n);
    if (box && isMoved(box.box, held.start)) this.done(held.n, box.box);
  }

  // Moves the box by 1 px of the image, in the direction seen on the screen; `isSize`: its lower right corner only.
  nudge(dx, dy, isSize, image) {
    const box = this.box;
    if (!box) return;
    const [ix, iy] = this.viewport.stepLike(dx, dy);
    const [x0, y0, x1, y1] = box.box;
    this.done(box.n, isSize ? boxBetween([x0, y0], [x1 + ix, y1 + iy], image) : shifted(box.box, ix, iy, image));
  }

  paint(context) {
    const box = this.box;
    const frame = box && this.boxes.frameOf(box);
    if (!frame) return;
    const [x0, y0, x1, y1] = frame;
    const isSmall = Math.min(x1 - x0, y1 - y0) < 4 * GRIP_PX;
    for (const [name, [fx, fy]] of Object.entries(GRIPS)) {
      if (isSmall && name.length === 1) continue;
      paintGrip(context, [x0 + fx * (x1 - x0), y0 + fy * (y1 - y0)], 6);
    }
  }
}

export function paintGrip(context, [x, y], side) {
  context.fillStyle = "#0c0e10";
  context.fillRect(x - side / 2 - 1, y - side / 2 - 1, side + 2, side + 2);
  context.fillStyle = "#ffffff";
  context.fillRect(x - side / 2, y - side / 2, side, side);
}
