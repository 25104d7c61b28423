// The canvas that shows a radiograph: its layers from pixels to measures, the pointer and the wheel.
import { BoxLayer } from "./boxes.js";
import { Lasso } from "./lasso.js";
import { MeasureLayer } from "./measure_layer.js";
import { PolygonDraft } from "./polygon_draft.js";
import { paintLabel } from "./strokes.js";
import { Viewport } from "./viewport.js";
import { ZoneLayer } from "./zone_layer.js";

const LOUPE_RADIUS_PX = 120;
const LOUPE_POWER = 3;
const DRAWING_TOOLS = ["length", "region", "profile", "scale", "window", "box", "polygon"];

export class Stage {
  // measures: a Measures; label(measure): the text beside it. on: { select(n|null), hover(text), window(), view() }
  // and, where there is more than looking, hoverBox(n|null), drawn(draft), handle(id), pick(n) (one more or one less),
  // lasso(numbers), zone(zone)
  constructor(canvas, measures, label, on) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.on = on;
    this.source = null;
    this.viewport = new Viewport(() => { on.view(); this.redraw(); });
    this.boxes = new BoxLayer(this.viewport);
    this.lasso = new Lasso(this.viewport);
    this.zone = new ZoneLayer(this.viewport);
    this.polygon = new PolygonDraft(this.viewport);
    this.editor = null; // a BoxEditor, where boxes can be changed
    this.drawing = new MeasureLayer(this.viewport, measures, label);
    this.map = null;
    this.mapLook = { opacity: 0.7, asContours: false };
    this.tool = "pan";
    this.isLoupeHeld = false;
    this.pointer = null; // where it was last, CSS px of the canvas
    this.pointers = new Map();
    this.drag = null;
    this.frame = 0;
    this.observer = new ResizeObserver(() => this.#resized());
    this.observer.observe(canvas);
    this.#listen();
  }

  destroy() {
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
  }

  get picture() { return this.source?.picture ?? null; }
  get isDrawing() { return DRAWING_TOOLS.includes(this.tool); }

  show(source, state) {
    this.source = source;
    this.viewport.image = [source.width, source.height];
    this.viewport.state = state ?? Viewport.start();
    if (this.viewport.state.isFitted) this.viewport.fit();
    this.redraw();
  }

  hide() {
    this.source = null;
    this.viewport.image = null;
    this.redraw();
  }

  use(tool) {
    this.tool = tool;
    this.drawing.cancel();
    this.lasso.cancel();
    this.zone.cancel();
    this.polygon.cancel();
    this.drawing.cursor = null;
    this.canvas.dataset.tool = tool;
    this.redraw();
  }

  #resized() {
    this.viewport.size = [this.canvas.clientWidth, this.canvas.clientHeight];
    if (this.viewport.state.isFitted) this.viewport.fit();
    this.redraw();
  }

  // --- drawing ------------------------------------------------------------------------------
  redraw() {
    if (!this.frame) this.frame = requestAnimationFrame(() => { this.frame = 0; this.#paint(); });
  }

  #paint() {
    const { canvas, context, viewport } = this;
    const density = window.devicePixelRatio || 1;
    const [width, height] = viewport.size.map((side) => Math.round(side * density));
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!this.picture) return;
    let isComplete = true;
    viewport.inEachPane((frame) => { isComplete = this.#paintPane(frame, density) && isComplete; });
    if (this.#isLoupeOn()) isComplete = viewport.inPane(viewport.paneAt(this.pointer?.[1] ?? 0), () => this.#paintLoupe(density)) && isComplete;
    canvas.dataset.painted = String(this.source.image.sha256).slice(0, 12);
    if (!isComplete) this.redraw();
  }

  // frame: [left, top, right, bottom] on the screen of a strip, or of all of it.
  #paintPane([left, top, right, bottom], density) {
    const { context, viewport } = this;
    context.save();
    context.setTransform(density, 0, 0, density, 0, 0);
    context.beginPath();
    context.rect(left, top, right - left, bottom - top);
    context.clip();
    const isComplete = this.#paintPixels(viewport.matrix(), viewport.seen(left, top, right, bottom), density, 1);
    if (this.map) this.map.paint(context, { ...this.mapLook, zoom: viewport.zoom });
    context.setTransform(density, 0, 0, density, 0, 0);
    this.zone.paint(context);
    this.boxes.paint(context);
    if (!this.boxes.isHidden) this.editor?.paint(context);
    this.lasso.paint(context);
    this.polygon.paint(context);
    this.drawing.paint(context);
    context.restore();
    return isComplete;
  }

  #paintPixels(matrix, seen, density, power) {
    const { context } = this;
    const zoom = this.viewport.zoom * power;
    context.setTransform(new DOMMatrix().scale(density).multiply(matrix));
    context.imageSmoothingEnabled = zoom < 2;
    context.imageSmoothingQuality = "low";
    return this.picture.paint(context, seen, zoom * density);
  }

  #isLoupeOn() { return (this.isLoupeHeld || this.tool === "magnify") && !this.drag && Boolean(this.drawing.cursor || this.pointer); }

  #paintLoupe(density) {
    const { context, viewport } = this;
    const [x, y] = this.drawing.cursor ? viewport.pointToScreen(this.drawing.cursor) : this.pointer;
    const power = Math.max(LOUPE_POWER, 2 / viewport.zoom);
    const reach = LOUPE_RADIUS_PX / power;
    context.save();
    context.beginPath();
    context.arc(x, y, LOUPE_RADIUS_PX, 0, 2 * Math.PI);
    context.fillStyle = "#000000";
    context.fill();
    context.clip();
    const matrix = new DOMMatrix().translate(x, y).scale(power).translate(-x, -y).multiply(viewport.matrix());
    const isComplete = this.#paintPixels(matrix, viewport.seen(x - reach, y - reach, x + reach, y + reach), density, power);
    context.restore();
    context.lineWidth = 1.5;
    context.strokeStyle = "#c8ced4";
    context.stroke();
    paintLabel(context, { text: `${power.toFixed(power < 10 ? 1 : 0)} ×`, x: x - 20, y: y + LOUPE_RADIUS_PX + 4, width: 40, height: 17 });
    return isComplete;
  }

  // --- pointer ------------------------------------------------------------------------------
  #listen() {
    const { canvas } = this;
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.viewport.zoomAt(Math.exp(-event.deltaY * 0.0016), ...this.#local(event));
    }, { passive: false });
    canvas.addEventListener("dblclick", (event) => this.#inItsPane(event, () => this.#doubleClick(...this.#local(event))));
    canvas.addEventListener("pointerdown", (event) => this.#inItsPane(event, () => this.#down(event)));
    canvas.addEventListener("pointermove", (event) => this.#inItsPane(event, () => this.#move(event)));
    canvas.addEventListener("pointerup", (event) => this.#inItsPane(event, () => this.#up(event)));
    canvas.addEventListener("pointercancel", (event) => this.#inItsPane(event, () => this.#up(event)));
    canvas.addEventListener("pointerleave", () => {
      this.pointer = null;
      this.on.hover("");
      this.#hoverBox(null);
      this.redraw();
    });
  }

  #doubleClick(x, y) {
    if (this.tool === "polygon") this.closePolygon();
    else if (!this.isDrawing && !this.editor?.removeCornerAt?.(x, y)) this.viewport.fitOrSwitch();
  }

  // A corner of the polygon that is being drawn, on the image.
  addCorner([x, y]) {
    const limit = (value, high) => Math.min(high, Math.max(0, value));
    this.#polygonDrawn(this.polygon.add([limit(x, this.source.width), limit(y, this.source.height)]));
  }

  closePolygon() { this.#polygonDrawn(this.polygon.finish()); }

  #polygonDrawn(points) {
    if (points) this.on.drawn({ kind: "polygon", points });
    this.redraw();
  }

  // A drag stays in the strip that it began in.
  #inItsPane(event, act) {
    const pane = this.drag ? this.drag.pane : this.viewport.paneAt(this.#local(event)[1]);
    this.viewport.inPane(pane, act);
  }

  #local(event) {
    const frame = this.canvas.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  }

  #kindOfDrag(event, x, y) {
    if (event.button === 2 || event.altKey) return "window";
    if (event.button === 1) return "pan";
    if (this.isDrawing) return !this.source.isFull ? "pan" : this.tool === "polygon" ? "polygon" : "draw";
    if (this.tool === "zone") return this.zone.isRedrawing || this.zone.partAt(x, y) ? "zone" : "pan";
    if (this.on.lasso && (this.tool === "lasso" || event.shiftKey)) return "lasso";
    if (this.source.isFull && this.drawing.isOverHandle(x, y)) return "handle";
    if (this.boxes.isHidden || event.ctrlKey || event.metaKey) return "pan";
    return this.editor?.partAt(x, y) ? "edit" : "pan";
  }

  #down(event) {
    if (!this.picture) return;
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    const [x, y] = this.#local(event);
    this.pointers.set(event.pointerId, { x, y });
    this.drag = { kind: this.#kindOfDrag(event, x, y), x, y, isClick: true, window: { ...this.source.window }, pane: this.viewport.pane };
    this.drawing.cursor = null;
    if (this.drag.kind === "draw") this.drawing.begin(this.tool, this.viewport.toImage(x, y));
    if (this.drag.kind === "lasso") this.lasso.begin(x, y);
    if (this.drag.kind === "zone") this.zone.begin(x, y);
    if (this.drag.kind === "edit") this.editor.begin(x, y);
    if (this.drag.kind === "handle") this.on.handle(this.drawing.grab(x, y));
  }

  #move(event) {
    if (!this.picture) return;
    const [x, y] = this.#local(event);
    this.pointer = [x, y];
    this.#report(x, y);
    if (this.#isLoupeOn()) this.redraw();
    const held = this.pointers.get(event.pointerId);
    if (!held) return this.#hover(x, y);
    if (Math.hypot(x - this.drag.x, y - this.drag.y) > 3) this.drag.isClick = false;
    if (this.pointers.size === 2) this.#pinch(event.pointerId, held, x, y);
    else if (this.drag.kind === "window") this.#dragWindow(x, y);
    else if (this.drag.kind === "pan") { if (!this.drag.isClick) this.viewport.panScreen(x - held.x, y - held.y); }
    else if (this.drag.kind === "zone") {
      this.zone.move(x, y);
      this.redraw();
    } else if (this.drag.kind === "lasso") {
      this.lasso.move(x, y);
      this.redraw();
    } else if (this.drag.kind === "edit") {
      if (!this.drag.isClick) this.editor.move(x, y, this.source);
      this.redraw();
    } else if (this.drag.kind === "draw" || this.drag.kind === "handle") {
      this.drawing.move(this.viewport.toImage(x, y), event.shiftKey);
      this.redraw();
    }
    this.pointers.set(event.pointerId, { x, y });
  }

  #report(x, y) {
    const [ix, iy] = this.viewport.toImage(x, y).map(Math.floor);
    const isInside = ix >= 0 && iy >= 0 && ix < this.source.width && iy < this.source.height;
    const value = isInside && this.source.isFull ? this.source.valueAt(ix, iy) : null;
    const shown = value === null ? "" : ` = ${Number.isInteger(value) ? value : value.toPrecision(5)}`;
    this.on.hover(isInside ? `x ${ix} y ${iy}${shown}` : "");
  }

  #hover(x, y) {
    if (this.tool === "zone") {
      this.canvas.style.cursor = this.zone.cursorAt(x, y);
      return;
    }
    if (this.polygon.isBegun) {
      this.polygon.move(this.viewport.toImage(x, y));
      this.redraw();
    }
    const box = this.isDrawing ? null : this.boxes.at(x, y);
    const isHandle = !this.isDrawing && this.drawing.isOverHandle(x, y);
    const grip = this.isDrawing || isHandle ? null : this.editor?.cursorAt(x, y);
    this.canvas.style.cursor = isHandle ? "move" : grip ?? (box ? "pointer" : "crosshair");
    this.#hoverBox(box?.n ?? null);
  }

  #hoverBox(n) {
    if (n === this.boxes.hovered) return;
    this.boxes.hovered = n;
    this.on.hoverBox?.(n);
    this.redraw();
  }

  #pinch(id, held, x, y) {
    this.drawing.cancel();
    this.lasso.cancel();
    this.editor?.cancel();
    this.zone.cancel();
    this.drag.kind = "pan";
    const other = [...this.pointers].find(([key]) => key !== id)[1];
    const before = Math.hypot(held.x - other.x, held.y - other.y);
    const now = Math.hypot(x - other.x, y - other.y);
    if (before > 0) this.viewport.zoomAt(now / before, other.x, other.y);
  }

  // To the right widens the window, upwards brightens: the custom of film stations.
  #dragWindow(x, y) {
    const { lo, hi, invert } = this.drag.window;
    const span = Math.max(1, this.picture.high - this.picture.low);
    const width = Math.max(2, hi - lo + ((x - this.drag.x) / this.canvas.clientWidth) * span);
    const level = (lo + hi) / 2 + ((y - this.drag.y) / this.canvas.clientHeight) * span * (invert ? -1 : 1);
    this.picture.setWindow(level - width / 2, level + width / 2, invert);
    this.on.window();
    this.redraw();
  }

  #up(event) {
    const { drag } = this;
    const wasHeld = this.pointers.delete(event.pointerId);
    if (this.pointers.size) return;
    this.drag = null;
    if (!wasHeld || !drag) return;
    if (drag.kind === "polygon") this.addCorner(this.viewport.toImage(...this.#local(event)));
    const isPicking = this.on.pick && (event.ctrlKey || event.metaKey || event.shiftKey);
    const isChoice = ["pan", "lasso"].includes(drag.kind) || (drag.kind === "edit" && this.editor.isClickable);
    if (isChoice && drag.isClick && !this.isDrawing) {
      const n = this.boxes.at(...this.#local(event))?.n ?? null;
      this.lasso.cancel();
      if (!isPicking) this.on.select(n);
      else if (n !== null) this.on.pick(n);
    } else if (drag.kind === "lasso") this.on.lasso(this.lasso.finish([...this.boxes.shown, ...this.boxes.below]).map(({ n }) => n));
    if (drag.kind === "edit") this.editor.finish();
    const zone = drag.kind === "zone" ? this.zone.finish() : null;
    if (zone) this.on.zone(zone);
    const draft = this.drawing.finish();
    if (draft) this.on.drawn(draft);
    this.redraw();
  }
}
