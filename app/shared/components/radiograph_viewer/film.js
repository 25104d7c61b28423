// Reading a long film: walking along it, its overview bar, and what of it has been on screen at 1:1 or more.
import { Overview, isLong } from "./overview.js";
import { SeenGrid } from "./seen_grid.js";
import { firstStop, nextStop } from "./walk.js";

const LOOKED_AFTER_MS = 400; // on screen for so long counts as seen
const REPORT_AFTER_MS = 4000;

export class Film {
  // on: { report(event), tell(text), zone(): the ZoneControl }
  constructor(root, stage, on) {
    Object.assign(this, { stage, on, grid: null, reading: null, isReported: true });
    this.text = root.querySelector(".seen");
    this.overview = new Overview(root.querySelector(".overview"), ([x, y]) => this.#goTo(x, y));
  }

  destroy() {
    this.flush();
    clearTimeout(this.looking);
    cancelAnimationFrame(this.frame);
  }

  // reading: of whoever looks, with the cells they have seen before; null where none is kept.
  update(image, reading) {
    const isOther = image?.sha256 !== this.sha256 || reading?.inspection_id !== this.reading?.inspection_id;
    if (isOther) {
      this.flush();
      // what was seen before the reading of the same image was there stays seen
      const isSame = image && image.sha256 === this.sha256 && !this.reading;
      if (!isSame) this.grid = image ? new SeenGrid(image.width, image.height) : null;
      else if (this.grid.share) this.#reportLater();
      this.sha256 = image?.sha256;
    }
    this.reading = reading ?? null;
    if (this.grid && reading?.seen) this.grid.merge(reading.seen);
    this.viewChanged();
  }

  get isLong() { return Boolean(this.stage.source && isLong(this.stage.source)); }
  get #isKept() { return this.reading?.seen !== undefined && this.reading.is_open; }

  // The view moved, zoomed or came on show; what stays on screen is marked a little later.
  viewChanged() {
    clearTimeout(this.looking);
    this.looking = setTimeout(() => this.#look(), LOOKED_AFTER_MS);
    this.redraw();
  }

  redraw() {
    if (!this.frame) this.frame = requestAnimationFrame(() => { this.frame = 0; this.#paint(); });
  }

  #paint() {
    const { stage, grid } = this;
    const source = grid && stage.source?.image.sha256 === this.sha256 ? stage.source : null;
    const boxes = stage.boxes.isHidden ? [] : stage.boxes.shown.filter(({ call }) => call !== "dismissed");
    this.overview.show({ source, grid, seen: source ? this.#seen() : [], boxes });
    this.text.textContent = source ? this.#shares() : "";
  }

  #shares() {
    const { zone, word } = this.on.zone();
    const percent = (share) => `${Math.floor(100 * share + 1e-6)} %`;
    return `seen at 1:1 or more: ${percent(this.grid.share)}${zone ? `, ${word} ${percent(this.grid.shareIn(zone.points))}` : ""}`;
  }

  #look() {
    const { stage, grid } = this;
    const { viewport, source } = stage;
    if (!grid || !source?.isFull || document.hidden || source.image.sha256 !== this.sha256) return;
    if (viewport.zoom * (window.devicePixelRatio || 1) < 0.999 || !this.#mark()) return;
    this.#reportLater();
    this.redraw();
  }

  #mark() {
    let isNew = false;
    const { viewport } = this.stage;
    viewport.inEachPane((frame) => { isNew = this.grid.mark(viewport.seen(...frame)) || isNew; });
    return isNew;
  }

  // What is on screen, a rectangle of the image for each strip.
  #seen() {
    const { viewport } = this.stage;
    const seen = [];
    viewport.inEachPane((frame) => seen.push(viewport.seen(...frame)));
    return seen;
  }

  #reportLater() {
    this.isReported = false;
    this.reporting ??= setTimeout(() => this.flush(), REPORT_AFTER_MS);
  }

  // Reports what was seen since, e.g. before it is signed.
  flush() {
    clearTimeout(this.reporting);
    this.reporting = null;
    if (this.isReported || !this.#isKept || !this.grid) return;
    this.isReported = true;
    this.on.report({ inspection_id: this.reading.inspection_id, cells: this.grid.text });
  }

  // --- walking --------------------------------------------------------------------------------
  // One screen on, by 1, or back, by -1, at 1:1 or more.
  walk(by) {
    const { viewport, source } = this.stage;
    if (!source) return;
    const wasFitted = viewport.state.isFitted;
    if (viewport.zoom * (window.devicePixelRatio || 1) < 0.999) viewport.showOneToOne();
    const [left, top, right, bottom] = viewport.seen();
    const place = { image: viewport.image, view: [right - left, bottom - top], band: this.on.zone().band };
    const { cx, cy } = viewport.state;
    const stop = wasFitted ? firstStop(place) : nextStop({ ...place, at: [cx, cy], by: by * this.#direction() });
    if (stop) this.#goTo(...stop);
    else this.on.tell(`end of the ${place.band ? this.on.zone().word : "film"}; ${this.#shares()}`);
  }

  // Rightwards on the screen is backwards on a film that is turned or flipped so.
  #direction() {
    const { viewport } = this.stage;
    const [dx, dy] = viewport.stepLike(1, 0);
    const step = viewport.image[0] >= viewport.image[1] ? dx : dy;
    return step || 1;
  }

  #goTo(x, y) {
    const { viewport } = this.stage;
    if (viewport.state.isFitted) viewport.showOneToOne();
    viewport.moveTo(x, y);
  }
}
