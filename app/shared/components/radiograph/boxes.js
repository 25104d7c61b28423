// Boxes over the radiograph. Of the model and not assessed: dashed; confirmed or added by a person: solid; dismissed,
// below the threshold, in a group or left out by a filter: thin, dotted and grey, a dismissed one crossed.
import { isWithin } from "./lasso.js";
import { linesPath, measuredLabel, overlaps, paintLabel, polygonPath, rectanglePath, stroke, strokeOnShadow } from "./strokes.js";

const HIT_MARGIN_PX = 5;
const LABEL_LIMIT = 400;
const LEAST_OUTLINE_PX = 14; // side of a box on the screen; an outline is lost in a smaller one
const FEW_WEAK = 12; // more of them bear their number only where the pointer is

// The model's call outside of the zone, as long as nobody confirmed it.
export const isApart = ({ zone, isAdded, call, group }) => zone === "outside" && !isAdded && !group && call !== "confirmed";

// Two figures, and never a certainty that two figures cannot carry.
export function probabilityFigure(probability) {
  if (probability === null) return "–";
  if (probability >= 0.995) return ">0.99";
  return probability < 0.005 ? "<0.01" : probability.toFixed(2);
}

// With a question mark where it is not verified for this kind of image.
export const shownProbability = ({ probability, is_unverified: isUnverified }) => `${probabilityFigure(probability)}${isUnverified && probability !== null ? " ?" : ""}`;

export class BoxLayer {
  constructor(viewport) {
    this.viewport = viewport;
    this.shown = []; // at or above the threshold
    this.below = []; // drawn only when asked for
    this.aside = []; // members of groups and what a filter leaves out: drawn, but not to be chosen
    this.isHidden = false; // the radiograph alone
    this.selected = null;
    this.picked = new Set(); // selected together
    this.hovered = null;
    this.accent = "#4fa3e0";
    this.taken = []; // places of the labels that are painted
  }

  find(n) { return [...this.shown, ...this.below].find((box) => box.n === n) ?? null; }

  // The smallest box around a point of the screen; within a polygon, or at its edge, where there is one.
  at(x, y) {
    if (this.isHidden) return undefined;
    const margin = HIT_MARGIN_PX;
    return [...this.shown, ...this.below].filter((box) => !box.polygon || this.#isOn(box.polygon, x, y))
      .map((box) => ({ box, at: this.viewport.toScreen(box.box) }))
      .filter(({ at }) => x >= at[0] - margin && x <= at[2] + margin && y >= at[1] - margin && y <= at[3] + margin)
      .toSorted((a, b) => (a.at[2] - a.at[0]) * (a.at[3] - a.at[1]) - (b.at[2] - b.at[0]) * (b.at[3] - b.at[1]))[0]?.box;
  }

  #isOn(polygon, x, y) {
    const places = polygon.map((corner) => this.viewport.pointToScreen(corner));
    return isWithin([x, y], places) || places.some((place, i) => distanceToLine([x, y], place, places[(i + 1) % places.length]) <= HIT_MARGIN_PX);
  }

  paint(context) {
    this.taken = [];
    if (this.isHidden) return;
    const weak = new Set([...this.below, ...this.aside, ...this.shown.filter((box) => box.call === "dismissed" || isApart(box))]);
    const rank = (box) => (this.#isSelected(box) ? 0 : weak.has(box) ? 2 : 1);
    const ordered = [...this.shown, ...this.below, ...this.aside].toSorted((a, b) => rank(a) - rank(b) || a.n - b.n);
    const frames = new Map(ordered.map((box) => [box.n, this.frameOf(box)]));
    for (const box of ordered.toReversed()) if (frames.get(box.n)) this.#paintFrame(context, box, frames.get(box.n), weak.has(box));
    const aside = new Set(this.aside);
    this.#paintLabels(context, ordered.filter((box) => !aside.has(box)), frames, weak);
  }

  #isSelected({ n }) { return n === this.selected || this.picked.has(n); }

  // The drawn rectangle, a little larger than the box so that it never lies on the indication; null outside.
  frameOf(box) {
    const [x0, y0, x1, y1] = this.viewport.toScreen(box.box);
    const [left, top, right, bottom] = this.viewport.frame;
    if (x1 < left || y1 < top || x0 > right || y0 > bottom) return null;
    const grow = Math.max(3, (12 - Math.min(x1 - x0, y1 - y0)) / 2);
    return [x0 - grow, y0 - grow, x1 + grow, y1 + grow];
  }

  #paintFrame(context, box, [x0, y0, x1, y1], isWeak) {
    const isSelected = this.#isSelected(box);
    const width = (isWeak ? 1 : 1.5) + (isSelected || box.n === this.hovered ? 1 : 0);
    const colour = isSelected ? "#ffffff" : isWeak ? "#a3abb3" : (box.colour ?? this.accent);
    const path = box.polygon ? polygonPath(box.polygon.map((corner) => this.viewport.pointToScreen(corner))) : rectanglePath([x0, y0, x1, y1]);
    if (isWeak) stroke(context, path, width, colour, [2, 4]);
    else strokeOnShadow(context, path, isSelected ? 5 : 3.5, width, colour, box.call === "confirmed" ? [] : [6, 4]);
    this.#paintOutline(context, box, isWeak);
    if (box.call === "dismissed") stroke(context, linesPath([[x0, y0], [x1, y1]], [[x1, y0], [x0, y1]]), 0.75, colour);
  }

  // What the model drew within the box, where there is room to see it.
  #paintOutline(context, box, isWeak) {
    if (!box.outline || (isWeak && !this.#isSelected(box) && box.n !== this.hovered)) return;
    const [x0, y0, x1, y1] = this.viewport.toScreen(box.box);
    if (Math.max(x1 - x0, y1 - y0) < LEAST_OUTLINE_PX) return;
    const path = new Path2D();
    for (const part of box.outline) path.addPath(polygonPath(part.map((corner) => this.viewport.pointToScreen(corner))));
    strokeOnShadow(context, path, 2.5, 1, this.#isSelected(box) ? "#ffffff" : (box.colour ?? this.accent));
  }

  // The selected box first, then by score; a label that would cover another one shrinks to its number or gives way.
  #paintLabels(context, ordered, frames, weak) {
    const { taken } = this;
    for (const box of ordered.slice(0, LABEL_LIMIT)) {
      const frame = frames.get(box.n);
      if (!frame) continue;
      const isSelected = box.n === this.selected;
      if (weak.size > FEW_WEAK && weak.has(box) && !isSelected && box.n !== this.hovered) continue;
      const name = box.called ?? box.kind?.replaceAll("-", " ") ?? box.class;
      const number = box.number ?? box.n;
      const full = box.label ? box.label : box.isAdded ? `${number} ${name} (${box.nMembers ? `${box.nMembers} together` : (box.origin ?? "added")})` : `${number} ${name} ${shownProbability(box)}`;
      const short = weak.has(box) && !box.call ? `${number} ${shownProbability(box)}` : `${number}`;
      const texts = isSelected || !weak.has(box) || box.n === this.hovered ? [full, short] : [short];
      const place = texts.map((text) => this.#labelPlace(context, text, frame, isSelected)).find((at) => isSelected || !taken.some((other) => overlaps(at, other)));
      if (!place) continue;
      taken.push(place);
      paintLabel(context, place, weak.has(box));
    }
  }

  #labelPlace(context, text, [x0, y0, , y1], isSelected) {
    const label = measuredLabel(context, text, isSelected);
    const [left, top, right, bottom] = this.viewport.frame;
    return { ...label, x: Math.min(Math.max(left, x0 - 1), right - label.width), y: y0 - top >= 20 ? y0 - 19 : Math.min(y1 + 3, bottom - 18) };
  }
}

function distanceToLine([x, y], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const along = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(ax + along * dx - x, ay + along * dy - y);
}
