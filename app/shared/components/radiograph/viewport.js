// The part of the image on screen, its size and orientation.
import { wrapped } from "./strips.js";

const MOST_ZOOM = 40;

export class Viewport {
  constructor(onChange) {
    this.onChange = onChange;
    this.state = Viewport.start();
    this.size = [0, 0]; // of the screen, CSS px
    this.image = null; // [width, height]
    this.mayWrap = false; // a long film that is fitted is cut into strips
    this.band = null; // of the weld, which strips follow, see strips.js
    this.layout = null; // of the strips when it was fitted last
    this.pane = null; // the strip that points belong to, null takes the one they lie in
  }

  static start() {
    return { zoom: 1, cx: 0, cy: 0, flipH: false, flipV: false, turns: 0, isFitted: true, isWhole: false };
  }

  get zoom() { return this.state.zoom; }
  get zoomText() { return `${Math.round(this.zoom * (window.devicePixelRatio || 1) * 100)} %`; }

  // The strips that a fitted long film is cut into, null while it is shown in one piece or not loaded yet.
  get strips() { return this.image && this.state.isFitted && this.layout ? this.layout.strips : null; }

  // [left, top, right, bottom] on the screen of each strip, or of the one piece.
  get panes() {
    return this.strips ? this.strips.map(({ top, bottom }) => [0, top, this.size[0], bottom]) : [[0, 0, ...this.size]];
  }

  // The same of the strip that is being painted.
  get frame() { return this.strips && this.pane !== null ? this.panes[this.pane] : [0, 0, ...this.size]; }

  // The strip at a height of the screen.
  paneAt(y) {
    const { strips } = this;
    if (!strips) return null;
    const at = strips.findIndex(({ bottom }) => y <= bottom + 4);
    return at < 0 ? strips.length - 1 : at;
  }

  // The strip that shows a point of the image furthest from its ends.
  #paneOf([x, y]) {
    const along = this.#isUpright ? y : x;
    const outside = ({ from, to }) => Math.abs(along - (from + to) / 2);
    return this.strips.reduce((best, strip, i) => (outside(strip) < outside(this.strips[best]) ? i : best), 0);
  }

  get #isUpright() { return this.image[1] > this.image[0]; }

  matrix(pane = this.pane ?? 0) {
    const { zoom, cx, cy, flipH, flipV, turns } = this.state;
    const strip = this.strips?.[pane];
    const [x, y] = !strip ? [cx, cy] : this.#isUpright ? [strip.y, strip.x] : [strip.x, strip.y];
    return new DOMMatrix()
      .translate(this.size[0] / 2, strip ? (strip.top + strip.bottom) / 2 : this.size[1] / 2)
      .scale(zoom)
      .scale(flipH ? -1 : 1, flipV ? -1 : 1)
      .rotate(90 * turns)
      .translate(-x, -y);
  }

  toImage(x, y) {
    const point = this.matrix(this.pane ?? this.paneAt(y) ?? 0).inverse().transformPoint({ x, y });
    return [point.x, point.y];
  }

  #matrixFor(point) { return this.matrix(this.pane ?? (this.strips ? this.#paneOf(point) : 0)); }

  pointToScreen([x, y]) {
    const point = this.#matrixFor([x, y]).transformPoint({ x, y });
    return [point.x, point.y];
  }

  toScreen([x0, y0, x1, y1]) {
    const matrix = this.#matrixFor([(x0 + x1) / 2, (y0 + y1) / 2]);
    const [a, b] = [matrix.transformPoint({ x: x0, y: y0 }), matrix.transformPoint({ x: x1, y: y1 })];
    return [Math.min(a.x, b.x), Math.min(a.y, b.y), Math.max(a.x, b.x), Math.max(a.y, b.y)];
  }

  // Whether the middle of a box is on the screen.
  isOnShow([x0, y0, x1, y1]) {
    const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
    let isThere = false;
    this.inEachPane((frame) => {
      const [left, top, right, bottom] = this.seen(...frame);
      isThere ||= x >= left && x <= right && y >= top && y <= bottom;
    });
    return isThere;
  }

  // Does something in each strip, or once for the one piece; points belong to it meanwhile.
  inEachPane(act) {
    for (const [pane, rectangle] of this.panes.entries()) this.inPane(this.strips ? pane : null, () => act(rectangle));
  }

  inPane(pane, act) {
    const before = this.pane;
    this.pane = pane;
    try { return act(); } finally { this.pane = before; }
  }

  // [left, top, right, bottom] of the image that a rectangle of the screen shows.
  seen(x0 = 0, y0 = 0, x1 = this.size[0], y1 = this.size[1]) {
    const [ax, ay] = this.toImage(x0, y0);
    const [bx, by] = this.toImage(x1, y1);
    return [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)];
  }

  fitZoom() {
    const [width, height] = this.state.turns % 2 ? [this.image[1], this.image[0]] : this.image;
    return Math.min((this.size[0] - 8) / width, (this.size[1] - 8) / height) || 0.1;
  }

  fit() {
    if (!this.image || !this.size[0]) return;
    this.layout = this.mayWrap && !this.state.isWhole ? this.#wrapped() : null;
    this.#set({ zoom: this.layout?.zoom ?? this.fitZoom(), cx: this.image[0] / 2, cy: this.image[1] / 2, isFitted: true });
  }

  // Strips run along the screen, so a film that stands upright on it is not cut.
  #wrapped() {
    const { flipH, flipV, turns } = this.state;
    if (this.#isUpright !== Boolean(turns % 2)) return null;
    const along = new DOMMatrix().scale(flipH ? -1 : 1, flipV ? -1 : 1).rotate(90 * turns).transformPoint(this.#isUpright ? { x: 0, y: 1 } : { x: 1, y: 0 });
    const image = this.#isUpright ? [this.image[1], this.image[0]] : this.image;
    return wrapped({ image, screen: this.size, band: this.band, isReversed: along.x < 0 });
  }

  // Fits; what is fitted already changes between strips and one piece.
  fitOrSwitch() {
    if (this.state.isFitted) this.state = { ...this.state, isWhole: !this.state.isWhole };
    this.fit();
  }

  // The strips follow another band.
  follow(band) {
    this.band = band;
    if (this.state.isFitted) this.fit();
  }

  zoomAt(factor, x = this.size[0] / 2, y = this.size[1] / 2) {
    if (!this.image) return;
    const before = this.toImage(x, y);
    const zoom = Math.min(MOST_ZOOM, Math.max(Math.min(0.5, this.fitZoom() * 0.5), this.zoom * factor));
    this.state = { ...this.state, zoom, isFitted: false };
    const after = this.toImage(x, y);
    this.#moveBy(before[0] - after[0], before[1] - after[1]);
  }

  // One image pixel on one screen pixel.
  showOneToOne() { this.zoomAt(1 / (window.devicePixelRatio || 1) / this.zoom); }

  #moveBy(dx, dy) {
    const clamp = (value, high) => Math.min(high, Math.max(0, value));
    this.#set({ isFitted: false, cx: clamp(this.state.cx + dx, this.image[0]), cy: clamp(this.state.cy + dy, this.image[1]) });
  }

  panScreen(dx, dy) {
    if (!this.image || this.strips) return; // all of it is on show
    const [x0, y0] = this.toImage(0, 0);
    const [x1, y1] = this.toImage(-dx, -dy);
    this.#moveBy(x1 - x0, y1 - y0);
  }

  // This point of the image in the middle.
  moveTo(x, y) { if (this.image) this.#moveBy(x - this.state.cx, y - this.state.cy); }

  // The step in the image, -1, 0 or 1 px each way, that a step on the screen looks like.
  stepLike(dx, dy) {
    const [x0, y0] = this.toImage(0, 0);
    const [x1, y1] = this.toImage(dx, dy);
    return [x1 - x0, y1 - y0].map((step) => Math.sign(Math.round(step * 1e6)));
  }

  // A quarter to the right (1) or left (-1) as seen on the screen, also when flipped.
  turn(quarter) {
    const isMirrored = this.state.flipH !== this.state.flipV;
    this.state = { ...this.state, turns: (this.state.turns + (isMirrored ? -quarter : quarter) + 4) % 4 };
    this.fit();
  }

  flip(axis) {
    this.#set({ [axis]: !this.state[axis] });
    if (this.strips) this.fit();
  }

  reset() { this.state = Viewport.start(); this.fit(); }

  // Bring a box to the middle; zoom in when it is too small to judge at the present zoom.
  centre(box) {
    const size = Math.max(box[2] - box[0], box[3] - box[1], 1);
    const zoom = Math.min(Math.max(this.zoom, Math.min(4, 60 / size)), (0.8 * Math.min(...this.size)) / size);
    this.#set({ zoom, cx: (box[0] + box[2]) / 2, cy: (box[1] + box[3]) / 2, isFitted: false });
  }

  // Move as little as needed so that a point of the image is on the screen.
  reveal(point) {
    const [x, y] = this.pointToScreen(point);
    const over = (at, size) => (at < 20 ? 20 - at : at > size - 20 ? size - 20 - at : 0);
    const [dx, dy] = [over(x, this.size[0]), over(y, this.size[1])];
    if (dx || dy) this.panScreen(dx, dy);
  }

  // The ways in which the image is turned.
  differences() {
    const { flipH, flipV, turns } = this.state;
    return [turns && `rotated ${[0, 90, 180, 270][turns]}°`, flipH && "flipped h", flipV && "flipped v"].filter(Boolean);
  }

  #set(change) {
    this.state = { ...this.state, ...change };
    this.onChange(this.state);
  }
}
