// Where the radiograph is shown: view transform, boxes, overlay, pointer and wheel.
const HIT_MARGIN_PX = 5;

// Two figures, and never a certainty that two figures cannot carry.
function probabilityFigure(probability) {
  if (probability >= 0.995) return ">0.99";
  return probability < 0.005 ? "<0.01" : probability.toFixed(2);
}

class Stage {
  // on: { select(n|null), hover(text), window(), view() }
  constructor(canvas, on) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.on = on;
    this.source = null;
    this.view = Stage.defaultView();
    this.boxes = [];
    this.selected = null;
    this.map = null;
    this.mapOpacity = 0.7;
    this.mapAsContours = false;
    this.accent = "#4fa3e0";
    this.pointers = new Map();
    this.frame = 0;
    this.observer = new ResizeObserver(() => this.#resized());
    this.observer.observe(canvas);
    this.#listen();
  }

  static defaultView() {
    return { zoom: 1, cx: 0, cy: 0, flipH: false, flipV: false, turns: 0, isFitted: true };
  }

  destroy() {
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
  }

  show(source, view) {
    this.source = source;
    this.view = view || Stage.defaultView();
    if (!view || view.isFitted) this.fit();
    this.redraw();
  }

  // --- view ---------------------------------------------------------------------------------
  fitZoom() {
    const { width, height } = this.source;
    const [w, h] = this.view.turns % 2 ? [height, width] : [width, height];
    return Math.min((this.canvas.clientWidth - 8) / w, (this.canvas.clientHeight - 8) / h) || 0.1;
  }

  fit() {
    if (!this.source || !this.canvas.clientWidth) return;
    this.view = { ...this.view, zoom: this.fitZoom(), cx: this.source.width / 2, cy: this.source.height / 2, isFitted: true };
    this.#changed();
  }

  #resized() {
    if (this.source && this.view.isFitted) this.fit();
    else this.redraw();
  }

  #matrix() {
    const { zoom, cx, cy, flipH, flipV, turns } = this.view;
    return new DOMMatrix()
      .translate(this.canvas.clientWidth / 2, this.canvas.clientHeight / 2)
      .scale(zoom)
      .scale(flipH ? -1 : 1, flipV ? -1 : 1)
      .rotate(90 * turns)
      .translate(-cx, -cy);
  }

  toImage(x, y) {
    const point = this.#matrix().inverse().transformPoint({ x, y });
    return [point.x, point.y];
  }

  toScreen(box) {
    const matrix = this.#matrix();
    const a = matrix.transformPoint({ x: box[0], y: box[1] });
    const b = matrix.transformPoint({ x: box[2], y: box[3] });
    return [Math.min(a.x, b.x), Math.min(a.y, b.y), Math.max(a.x, b.x), Math.max(a.y, b.y)];
  }

  zoomAt(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    if (!this.source) return;
    const before = this.toImage(x, y);
    const zoom = Math.min(40, Math.max(this.fitZoom() * 0.5, this.view.zoom * factor));
    this.view = { ...this.view, zoom, isFitted: false };
    const after = this.toImage(x, y);
    this.#moveBy(before[0] - after[0], before[1] - after[1]);
  }

  #moveBy(dx, dy) {
    const clamp = (value, high) => Math.min(high, Math.max(0, value));
    this.view = {
      ...this.view, isFitted: false,
      cx: clamp(this.view.cx + dx, this.source.width), cy: clamp(this.view.cy + dy, this.source.height),
    };
    this.#changed();
  }

  #panScreen(dx, dy) {
    const [x0, y0] = this.toImage(0, 0);
    const [x1, y1] = this.toImage(-dx, -dy);
    this.#moveBy(x1 - x0, y1 - y0);
  }

  turn(quarter) { this.view = { ...this.view, turns: (this.view.turns + quarter + 4) % 4 }; this.fit(); }
  flip(axis) { this.view = { ...this.view, [axis]: !this.view[axis] }; this.#changed(); }
  reset() { this.view = Stage.defaultView(); this.fit(); }

  // Bring a box to the middle; zoom in when it is too small to judge at the present zoom.
  centre(box) {
    const size = Math.max(box[2] - box[0], box[3] - box[1], 1);
    const room = Math.min(this.canvas.clientWidth, this.canvas.clientHeight);
    const zoom = Math.min(Math.max(this.view.zoom, Math.min(4, 60 / size)), (0.8 * room) / size);
    this.view = { ...this.view, zoom, cx: (box[0] + box[2]) / 2, cy: (box[1] + box[3]) / 2, isFitted: false };
    this.#changed();
  }

  #changed() { this.on.view(this.view); this.redraw(); }

  // --- drawing ------------------------------------------------------------------------------
  redraw() {
    if (!this.frame) this.frame = requestAnimationFrame(() => { this.frame = 0; this.#paint(); });
  }

  #paint() {
    const { canvas, context } = this;
    const density = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (canvas.width !== Math.round(width * density)) canvas.width = Math.round(width * density);
    if (canvas.height !== Math.round(height * density)) canvas.height = Math.round(height * density);
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!this.source || !this.source.values) return;
    const scaled = new DOMMatrix().scale(density).multiply(this.#matrix());
    context.setTransform(scaled);
    context.imageSmoothingEnabled = this.view.zoom < 2;
    context.imageSmoothingQuality = this.view.zoom < 0.6 ? "high" : "low";
    this.#paintTiles();
    if (this.map) this.#paintMap();
    context.setTransform(density, 0, 0, density, 0, 0);
    this.#paintBoxes();
    canvas.dataset.painted = String(this.source.image.sha256).slice(0, 12);
  }

  #paintTiles() {
    const corners = [[0, 0], [this.canvas.clientWidth, 0], [0, this.canvas.clientHeight],
      [this.canvas.clientWidth, this.canvas.clientHeight]].map(([x, y]) => this.toImage(x, y));
    const xs = corners.map((c) => c[0]);
    const ys = corners.map((c) => c[1]);
    const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    for (const tile of this.source.tiles) {
      const isSeen = tile.x < right && tile.x + tile.canvas.width > left && tile.y < bottom && tile.y + tile.canvas.height > top;
      if (isSeen) this.context.drawImage(this.source.picture(tile), tile.x, tile.y);
    }
  }

  #paintMap() {
    const { context, map } = this;
    context.save();
    context.globalAlpha = this.mapOpacity;
    if (this.mapAsContours) this.#paintContours();
    else {
      context.imageSmoothingEnabled = true;
      context.drawImage(map.canvas, map.x0, map.y0);
    }
    context.restore();
  }

  // Lines at 25, 50 and 75 % of the map's maximum: edges between px inside and outside.
  #paintContours() {
    const { values, width, height, x0, y0 } = this.map;
    const { context } = this;
    context.lineWidth = 1.4 / this.view.zoom;
    [[64, "#6f8fc4"], [128, "#c9b66a"], [191, "#fee838"]].forEach(([level, colour]) => {
      context.beginPath();
      for (let y = 1; y < height; y += 1)
        for (let x = 1; x < width; x += 1) {
          const here = values[y * width + x] >= level;
          if (here !== values[y * width + x - 1] >= level) { context.moveTo(x0 + x, y0 + y); context.lineTo(x0 + x, y0 + y + 1); }
          if (here !== values[(y - 1) * width + x] >= level) { context.moveTo(x0 + x, y0 + y); context.lineTo(x0 + x + 1, y0 + y); }
        }
      context.strokeStyle = colour;
      context.stroke();
    });
  }

  #paintBoxes() {
    const ordered = [...this.boxes].sort((a, b) => (a.n === this.selected) - (b.n === this.selected) || b.n - a.n);
    const frames = new Map(ordered.map((box) => [box.n, this.#frame(box)]));
    for (const box of ordered) if (frames.get(box.n)) this.#paintFrame(box, frames.get(box.n));
    this.#paintLabels(ordered.reverse(), frames);
  }

  // The drawn rectangle, a little larger than the box so that it never lies on the indication; null outside.
  #frame(box) {
    const [x0, y0, x1, y1] = this.toScreen(box.box);
    if (x1 < 0 || y1 < 0 || x0 > this.canvas.clientWidth || y0 > this.canvas.clientHeight) return null;
    const grow = Math.max(3, (12 - Math.min(x1 - x0, y1 - y0)) / 2);
    return [x0 - grow, y0 - grow, x1 + grow, y1 + grow];
  }

  #paintFrame(box, [x0, y0, x1, y1]) {
    const { context } = this;
    const isSelected = box.n === this.selected;
    context.setLineDash([]);
    context.lineWidth = isSelected ? 5 : 3.5;
    context.strokeStyle = "rgba(0, 0, 0, 0.55)";
    context.strokeRect(x0, y0, x1 - x0, y1 - y0);
    context.setLineDash([6, 4]);
    context.lineWidth = isSelected ? 2.5 : 1.5;
    context.strokeStyle = isSelected ? "#ffffff" : this.accent;
    context.strokeRect(x0, y0, x1 - x0, y1 - y0);
    context.setLineDash([]);
  }

  // The selected box first, then by score; a label that would cover another one shrinks to its number or gives way.
  #paintLabels(ordered, frames) {
    const taken = [];
    const overlaps = (a) => taken.some((b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height);
    for (const box of ordered.slice(0, 400)) {
      const frame = frames.get(box.n);
      if (!frame) continue;
      const isSelected = box.n === this.selected;
      const texts = [`${box.n} ${box.class} ${probabilityFigure(box.probability)}`, `${box.n}`];
      const place = texts.map((text) => this.#labelPlace(text, frame, isSelected)).find((at) => isSelected || !overlaps(at));
      if (!place) continue;
      taken.push(place);
      this.#paintLabel(place, isSelected);
    }
  }

  #labelPlace(text, [x0, y0, , y1], isSelected) {
    this.context.font = `${isSelected ? 600 : 500} 12px "Source Sans", sans-serif`;
    const width = this.context.measureText(text).width + 10;
    const x = Math.min(Math.max(0, x0 - 1), this.canvas.clientWidth - width);
    const y = y0 >= 20 ? y0 - 19 : Math.min(y1 + 3, this.canvas.clientHeight - 18);
    return { text, x, y, width, height: 17 };
  }

  #paintLabel({ text, x, y, width, height }, isSelected) {
    const { context } = this;
    context.font = `${isSelected ? 600 : 500} 12px "Source Sans", sans-serif`;
    context.fillStyle = isSelected ? "rgba(255, 255, 255, 0.94)" : "rgba(10, 12, 14, 0.78)";
    context.fillRect(x, y, width, height);
    context.fillStyle = isSelected ? "#0c0e10" : "#e6e8ea";
    context.fillText(text, x + 5, y + 12.5);
  }

  // --- pointer ------------------------------------------------------------------------------
  boxAt(x, y) {
    const margin = HIT_MARGIN_PX;
    return this.boxes
      .map((box) => ({ box, at: this.toScreen(box.box) }))
      .filter(({ at }) => x >= at[0] - margin && x <= at[2] + margin && y >= at[1] - margin && y <= at[3] + margin)
      .sort((a, b) => (a.at[2] - a.at[0]) * (a.at[3] - a.at[1]) - (b.at[2] - b.at[0]) * (b.at[3] - b.at[1]))[0]?.box;
  }

  #local(event) {
    const frame = this.canvas.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  }

  #listen() {
    const { canvas } = this;
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomAt(Math.exp(-event.deltaY * 0.0016), ...this.#local(event));
    }, { passive: false });
    canvas.addEventListener("dblclick", () => this.fit());
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", (event) => this.#up(event));
    canvas.addEventListener("pointerleave", () => this.on.hover(null));
  }

  #down(event) {
    if (!this.source) return;
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    const [x, y] = this.#local(event);
    this.pointers.set(event.pointerId, { x, y });
    const isWindow = event.button === 2 || event.altKey;
    this.drag = { kind: isWindow ? "window" : "pan", x, y, isClick: true, window: { ...this.source.window } };
  }

  #move(event) {
    if (!this.source) return;
    const [x, y] = this.#local(event);
    const [ix, iy] = this.toImage(x, y).map(Math.floor);
    const isInside = ix >= 0 && iy >= 0 && ix < this.source.width && iy < this.source.height;
    this.on.hover(isInside && this.source.values ? { x: ix, y: iy, value: this.source.valueAt(ix, iy) } : null);
    const held = this.pointers.get(event.pointerId);
    if (!held) { this.canvas.style.cursor = this.boxAt(x, y) ? "pointer" : "crosshair"; return; }
    if (Math.hypot(x - this.drag.x, y - this.drag.y) > 3) this.drag.isClick = false;
    if (this.pointers.size === 2) this.#pinch(event.pointerId, held, x, y);
    else if (this.drag.kind === "window") this.#dragWindow(x, y);
    else if (!this.drag.isClick) this.#panScreen(x - held.x, y - held.y);
    this.pointers.set(event.pointerId, { x, y });
  }

  #pinch(id, held, x, y) {
    const other = [...this.pointers].find(([key]) => key !== id)[1];
    const before = Math.hypot(held.x - other.x, held.y - other.y);
    const now = Math.hypot(x - other.x, y - other.y);
    if (before > 0) this.zoomAt(now / before, other.x, other.y);
  }

  // To the right widens the window, upwards brightens: the custom of film stations.
  #dragWindow(x, y) {
    const { lo, hi, invert } = this.drag.window;
    const span = this.source.fullSpan || this.source.levels;
    const width = Math.max(2, hi - lo + ((x - this.drag.x) / this.canvas.clientWidth) * span);
    const level = (lo + hi) / 2 + ((y - this.drag.y) / this.canvas.clientHeight) * span * (invert ? -1 : 1);
    this.source.setWindow(level - width / 2, level + width / 2, invert);
    this.on.window();
    this.redraw();
  }

  #up(event) {
    const [x, y] = this.#local(event);
    if (this.pointers.delete(event.pointerId) && this.drag?.isClick && this.drag.kind === "pan") {
      this.on.select(this.boxAt(x, y)?.n ?? null);
    }
    if (!this.pointers.size) this.drag = null;
  }
}
