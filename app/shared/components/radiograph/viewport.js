// The part of the image on screen, its size and orientation.
const MOST_ZOOM = 40;

export class Viewport {
  constructor(onChange) {
    this.onChange = onChange;
    this.state = Viewport.start();
    this.size = [0, 0]; // of the screen, CSS px
    this.image = null; // [width, height]
  }

  static start() {
    return { zoom: 1, cx: 0, cy: 0, flipH: false, flipV: false, turns: 0, isFitted: true };
  }

  get zoom() { return this.state.zoom; }
  get zoomText() { return `${Math.round(this.zoom * (window.devicePixelRatio || 1) * 100)} %`; }

  matrix() {
    const { zoom, cx, cy, flipH, flipV, turns } = this.state;
    return new DOMMatrix()
      .translate(this.size[0] / 2, this.size[1] / 2)
      .scale(zoom)
      .scale(flipH ? -1 : 1, flipV ? -1 : 1)
      .rotate(90 * turns)
      .translate(-cx, -cy);
  }

  toImage(x, y) {
    const point = this.matrix().inverse().transformPoint({ x, y });
    return [point.x, point.y];
  }

  pointToScreen([x, y]) {
    const point = this.matrix().transformPoint({ x, y });
    return [point.x, point.y];
  }

  toScreen(box) {
    const [ax, ay] = this.pointToScreen([box[0], box[1]]);
    const [bx, by] = this.pointToScreen([box[2], box[3]]);
    return [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)];
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
    this.#set({ zoom: this.fitZoom(), cx: this.image[0] / 2, cy: this.image[1] / 2, isFitted: true });
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
    if (!this.image) return;
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

  flip(axis) { this.#set({ [axis]: !this.state[axis] }); }

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
