// Moves and reshapes labels: a drag inside moves what is selected, or the label under the pointer; corners and sides
// resize; the round handle beside a box turns it.
import { cornerDragged, cornersOf, isInside, isRectangle, movedBy, sideDragged, turned } from "../radiograph/polygons.js";
import { BoxEditor, paintGrip } from "./box_editor.js";
import { hullOf, shifted } from "./geometry.js";

const GRIP_PX = 7;
const HANDLE_PX = 22; // from the box to the handle that turns it
const NEAR_PX = 1; // a move of less, on the image, is none

export class LabelEditor extends BoxEditor {
  // on: that of a BoxEditor, and take(n): it is selected, since it is dragged; moved(numbers, dx, dy); shaped(n, polygon)
  constructor(viewport, boxes, on) {
    super(viewport, boxes, on);
    this.on = on;
  }

  // A press that was no drag selects.
  get isClickable() { return this.held?.part === "move"; }

  get #isMany() { return this.boxes.picked.size > 1; }

  // The only selected one, where it can be changed.
  get #one() { return this.#isMany ? null : this.box; }

  partAt(x, y) {
    const one = this.#one;
    const part = one && (this.#handlePart(one, x, y) ?? (one.polygon ? this.#polygonPart(one, x, y) : super.partAt(x, y)));
    return part ?? (this.#targetAt(x, y) ? "move" : null);
  }

  cursorAt(x, y) {
    const part = this.partAt(x, y);
    if (part === "turn") return "grab";
    return part?.includes(":") ? "crosshair" : super.cursorAt(x, y);
  }

  // What a drag from here would move: something selected, or a label. A box that fills the view is none: there one pans.
  #targetAt(x, y) {
    const box = this.boxes.at(x, y);
    if (!box || !this.may(box)) return null;
    const isHeld = box.n === this.boxes.selected || this.boxes.picked.has(box.n);
    if (!isHeld && box.call !== "confirmed") return null;
    const [x0, y0, x1, y1] = this.viewport.toScreen(box.box);
    const [left, top, right, bottom] = this.viewport.frame;
    return x0 <= left && y0 <= top && x1 >= right && y1 >= bottom ? null : box;
  }

  #places(polygon) { return polygon.map((corner) => this.viewport.pointToScreen(corner)); }

  // "corner:2" or "side:0" of the polygon, null elsewhere.
  #polygonPart({ polygon }, x, y) {
    const places = this.#places(polygon);
    const isAt = ([px, py]) => Math.hypot(px - x, py - y) <= GRIP_PX + 2;
    const corner = places.findIndex(isAt);
    if (corner >= 0) return `corner:${corner}`;
    const side = middles(places).findIndex(isAt);
    return side >= 0 ? `side:${side}` : null;
  }

  // Beside the right side of the box; to the left where there is no room.
  #handleOf(box) {
    if (box.polygon && isRectangle(box.polygon)) {
      const places = this.#places(box.polygon);
      const [from, to] = [middles(places)[3], middles(places)[1]];
      const length = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
      return [0, 1].map((i) => to[i] + (HANDLE_PX * (to[i] - from[i])) / length);
    }
    const [x0, y0, x1, y1] = this.boxes.frameOf(box) ?? [];
    if (x0 === undefined) return null;
    const isRoom = x1 + HANDLE_PX + GRIP_PX < this.viewport.frame[2];
    return [isRoom ? x1 + HANDLE_PX : x0 - HANDLE_PX, (y0 + y1) / 2];
  }

  #handlePart(box, x, y) {
    const place = this.#handleOf(box);
    return place && Math.hypot(place[0] - x, place[1] - y) <= GRIP_PX + 2 ? "turn" : null;
  }

  begin(x, y) {
    const part = this.partAt(x, y);
    const from = this.viewport.toImage(x, y);
    if (part === "move") this.held = { part, from, n: (this.#targetAt(x, y) ?? this.box).n, starts: null, step: [0, 0] };
    else if (part === "turn" || part.includes(":")) this.held = this.#reshapeBegun(part, from);
    else super.begin(x, y);
  }

  // A side of a polygon that is no rectangle becomes a corner.
  #reshapeBegun(part, from) {
    const { n, box, polygon } = this.box;
    const held = { part, from, n, polygon: polygon ?? cornersOf(box), isReshaped: false, before: { box, polygon } };
    const [name, at] = [part.split(":")[0], Number(part.split(":")[1])];
    if (name !== "side" || isRectangle(held.polygon)) return { ...held, name, at };
    const [a, b] = [held.polygon[at], held.polygon[(at + 1) % held.polygon.length]];
    return { ...held, name: "corner", at: at + 1, polygon: held.polygon.toSpliced(at + 1, 0, [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]) };
  }

  move(x, y, image) {
    const { held } = this;
    if (held.part === "move") this.#moved(x, y, image);
    else if (held.polygon) this.#reshaped(x, y, image);
    else super.move(x, y, image);
  }

  #moved(x, y, image) {
    const { held } = this;
    if (!held.starts) {
      if (held.n !== this.boxes.selected && !this.boxes.picked.has(held.n)) this.on.take(held.n);
      const numbers = this.#isMany ? [...this.boxes.picked] : [held.n];
      held.starts = new Map(numbers.map((n) => [n, this.boxes.find(n)]).filter(([, box]) => box && this.may(box)).map(([n, { box, polygon }]) => [n, { box, polygon }]));
    }
    const [px, py] = this.viewport.toImage(x, y);
    held.step = stepWithin([...held.starts.values()].map(({ box }) => box), px - held.from[0], py - held.from[1], image);
    this.#place(held.starts, held.step);
  }

  #place(starts, [dx, dy]) {
    for (const [n, { box, polygon }] of starts) {
      const shown = this.boxes.find(n);
      if (shown) Object.assign(shown, { box: [box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy], polygon: polygon && movedBy(polygon, dx, dy) });
    }
  }

  #reshaped(x, y, image) {
    const { held } = this;
    const to = this.viewport.toImage(x, y);
    const [dx, dy] = [to[0] - held.from[0], to[1] - held.from[1]];
    const polygon = this.#shapeOf(held, dx, dy, to, image);
    const shown = this.boxes.find(held.n);
    if (!shown || !isInside(polygon, image)) return;
    Object.assign(held, { isReshaped: true, shaped: polygon });
    shown.polygon = polygon;
  }

  #shapeOf({ name, at, polygon, from }, dx, dy, to, image) {
    if (name === "turn") return turned(polygon, degreesBetween(polygon, from, to));
    if (isRectangle(polygon)) return name === "corner" ? cornerDragged(polygon, at, dx, dy) : sideDragged(polygon, at, dx, dy);
    const limit = (value, high) => Math.min(high, Math.max(0, value));
    return polygon.with(at, [limit(polygon[at][0] + dx, image.width), limit(polygon[at][1] + dy, image.height)]);
  }

  cancel() {
    const { held } = this;
    if (held?.part === "move") this.#place(held.starts ?? new Map(), [0, 0]);
    else if (held?.polygon) Object.assign(this.boxes.find(held.n) ?? {}, held.before);
    else return super.cancel();
    this.held = null;
  }

  finish() {
    const { held } = this;
    if (held?.part !== "move" && !held?.polygon) return super.finish();
    this.held = null;
    if (held.polygon) { if (held.isReshaped) this.on.shaped(held.n, held.shaped); }
    else if (held.starts && Math.hypot(...held.step) >= Math.min(NEAR_PX, 1 / this.viewport.zoom)) this.on.moved([...held.starts.keys()], ...held.step);
    else if (held.starts) this.#place(held.starts, [0, 0]);
  }

  // Moves all that is selected by 1 px; `isSize`: the lower right corner of one box.
  nudge(dx, dy, isSize, image) {
    if (isSize && this.#one?.polygon) return;
    if (isSize || (!this.#isMany && !this.#one?.polygon)) return super.nudge(dx, dy, isSize, image);
    const numbers = this.#isMany ? [...this.boxes.picked] : [this.boxes.selected];
    const boxes = numbers.map((n) => this.boxes.find(n)).filter((box) => box && this.may(box));
    const step = boxes.length ? stepWithin(boxes.map(({ box }) => box), ...this.viewport.stepLike(dx, dy), image) : [0, 0];
    if (Math.hypot(...step)) this.on.moved(boxes.map(({ n }) => n), ...step);
  }

  // Turns the selected one; what would leave the image is not turned.
  turn(degrees, image) {
    const one = this.#one;
    const polygon = one && turned(one.polygon ?? cornersOf(one.box), degrees);
    if (polygon && isInside(polygon, image)) this.on.shaped(one.n, polygon);
  }

  // Takes a corner of a polygon away; whether there was one.
  removeCornerAt(x, y) {
    const one = this.#one;
    const [name, at] = (one?.polygon && !isRectangle(one.polygon) && this.#polygonPart(one, x, y)?.split(":")) || [];
    if (name !== "corner" || one.polygon.length < 4) return false;
    this.on.shaped(one.n, one.polygon.toSpliced(Number(at), 1));
    return true;
  }

  paint(context) {
    const one = this.#one;
    if (!one) return;
    if (one.polygon) {
      const places = this.#places(one.polygon);
      for (const place of middles(places)) paintGrip(context, place, 4);
      for (const place of places) paintGrip(context, place, 6);
    } else super.paint(context);
    const handle = this.boxes.frameOf(one) && this.#handleOf(one);
    if (!handle) return;
    for (const [radius, colour] of [[6, "#0c0e10"], [4.5, "#ffffff"], [2, "#0c0e10"]]) {
      context.beginPath();
      context.arc(...handle, radius, 0, 2 * Math.PI);
      context.fillStyle = colour;
      context.fill();
    }
  }
}

const middles = (places) => places.map(([x, y], i) => [(x + places[(i + 1) % places.length][0]) / 2, (y + places[(i + 1) % places.length][1]) / 2]);

// The step that all boxes together can take within the image.
function stepWithin(boxes, dx, dy, image) {
  const hull = hullOf(boxes);
  const to = shifted(hull, dx, dy, image);
  return [to[0] - hull[0], to[1] - hull[1]];
}

// The angle at the middle of the polygon from one point to another.
function degreesBetween(polygon, from, to) {
  const [x0, y0, x1, y1] = hullOf(polygon.map(([x, y]) => [x, y, x, y]));
  const angle = ([x, y]) => Math.atan2(y - (y0 + y1) / 2, x - (x0 + x1) / 2);
  return ((angle(to) - angle(from)) * 180) / Math.PI;
}
