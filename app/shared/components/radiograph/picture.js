// The 8-bit picture of one set of samples under a window: tiles of a pyramid, rendered as they come into view.
import { histogramOf, percentileOf } from "./statistics.js";

const TILE = 256;
const KEPT_TILES = 640;
const SMALLEST_LEVEL = 512;
const PAINT_MS = 9; // of rendering per frame; what is not done by then shows coarser and follows

// Half the size, each px the rounded mean of its four; a generator, see `inTurns`.
function* halved({ values, width, height }) {
  const [w, h] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  const out = new values.constructor(w * h);
  for (let y = 0; y < h; y += 1) {
    const upper = 2 * y * width;
    const lower = Math.min(2 * y + 1, height - 1) * width;
    for (let x = 0, i = y * w; x < w; x += 1, i += 1) {
      const left = 2 * x;
      const right = Math.min(left + 1, width - 1);
      out[i] = (values[upper + left] + values[upper + right] + values[lower + left] + values[lower + right] + 2) >> 2;
    }
    if (y % 16 === 15) yield;
  }
  return { values: out, width: w, height: h };
}

export class Picture {
  // levels: finest first, each { values, width, height, scaleX, scaleY } with image px per px of the level.
  constructor(levels, histogram) {
    this.levels = levels.map((level) => ({ ...level, tiles: new Map() }));
    this.histogram = histogram;
    this.valueCount = histogram.length;
    this.low = percentileOf(histogram, 0);
    this.high = percentileOf(histogram, 1);
    this.window = { lo: 0, hi: 1, invert: false };
    this.revision = 0;
    this.frame = 0;
  }

  // A generator, see `inTurns`. valueCount: one more than the largest possible sample.
  static *build(values, width, height, valueCount) {
    const histogram = yield* histogramOf(values, valueCount);
    const levels = [{ values, width, height, scaleX: 1, scaleY: 1 }];
    let last = levels[0];
    while (Math.max(last.width, last.height) > SMALLEST_LEVEL) {
      const next = yield* halved(last);
      last = { ...next, scaleX: 2 * last.scaleX, scaleY: 2 * last.scaleY };
      levels.push(last);
    }
    return new Picture(levels, histogram);
  }

  setWindow(lo, hi, invert) {
    this.window = { lo, hi: Math.max(lo + 1, hi), invert };
    this.revision += 1;
    this.lut = null;
  }

  // Draws what lies within [left, top, right, bottom] of the image; `density`: screen px per image px.
  // Returns whether all of it came out at its full sharpness.
  paint(context, seen, density) {
    this.frame += 1;
    const level = this.#levelFor(density);
    const places = this.#places(level, seen);
    const isComplete = this.#prepare(level, places);
    if (!isComplete) {
      const coarser = this.levels[this.levels.indexOf(level) + 1];
      const behind = this.#places(coarser, seen);
      for (const at of behind) this.#render(coarser, at);
      for (const at of behind) this.#draw(context, coarser, at);
    }
    for (const at of places) if (level.tiles.get(at.key)?.revision === this.revision) this.#draw(context, level, at);
    this.#forget();
    return isComplete;
  }

  // Renders what is out of date as long as there is time; whether all of it is up to date now.
  #prepare(level, places) {
    const until = performance.now() + PAINT_MS;
    const isLast = level === this.levels[this.levels.length - 1];
    for (const at of places) {
      if (level.tiles.get(at.key)?.revision === this.revision) continue;
      if (!isLast && performance.now() > until) return false;
      this.#render(level, at);
    }
    return true;
  }

  // The coarsest level that still has a px for every screen px.
  #levelFor(density) {
    let chosen = this.levels[0];
    for (const level of this.levels) if (level.scaleX * density <= 1.001) chosen = level;
    return chosen;
  }

  #places(level, [left, top, right, bottom]) {
    const [stepX, stepY] = [TILE * level.scaleX, TILE * level.scaleY];
    const places = [];
    for (let row = Math.max(0, Math.floor(top / stepY)); row * TILE < level.height && row * stepY < bottom; row += 1)
      for (let column = Math.max(0, Math.floor(left / stepX)); column * TILE < level.width && column * stepX < right; column += 1)
        places.push({ key: row * 4096 + column, x: column * TILE, y: row * TILE });
    return places;
  }

  #draw(context, { tiles, scaleX, scaleY }, at) {
    const tile = tiles.get(at.key);
    tile.frame = this.frame;
    context.drawImage(tile.canvas, at.x * scaleX, at.y * scaleY, tile.canvas.width * scaleX, tile.canvas.height * scaleY);
  }

  #tile(level, at) {
    const known = level.tiles.get(at.key);
    if (known) return known;
    // One px more than the tile covers, so that no seam shows between neighbours.
    const canvas = document.createElement("canvas");
    canvas.width = Math.min(TILE + 1, level.width - at.x);
    canvas.height = Math.min(TILE + 1, level.height - at.y);
    const context = canvas.getContext("2d");
    const tile = { canvas, context, image: context.createImageData(canvas.width, canvas.height), revision: -1, frame: 0 };
    level.tiles.set(at.key, tile);
    return tile;
  }

  #render(level, at) {
    const tile = this.#tile(level, at);
    if (tile.revision === this.revision) return;
    const lut = this.#table();
    const { values, width: stride } = level;
    const { width, height } = tile.canvas;
    const out = new Uint32Array(tile.image.data.buffer);
    for (let row = 0, i = 0; row < height; row += 1)
      for (let from = (at.y + row) * stride + at.x, end = from + width; from < end; from += 1, i += 1) out[i] = lut[values[from]];
    tile.context.putImageData(tile.image, 0, 0);
    tile.revision = this.revision;
  }

  #table() {
    if (this.lut) return this.lut;
    const { lo, hi, invert } = this.window;
    const lut = new Uint32Array(this.valueCount);
    const gain = 255 / (hi - lo);
    for (let i = 0; i < this.valueCount; i += 1) {
      const grey = Math.round(Math.min(255, Math.max(0, (i - lo) * gain)));
      lut[i] = 0xff000000 | ((invert ? 255 - grey : grey) * 0x010101);
    }
    this.lut = lut;
    return lut;
  }

  // Tiles that were not drawn lately give way when there are too many.
  #forget() {
    const all = this.levels.flatMap((level) => [...level.tiles].map(([key, tile]) => ({ level, key, frame: tile.frame })));
    if (all.length <= KEPT_TILES) return;
    all.toSorted((a, b) => a.frame - b.frame).slice(0, all.length - KEPT_TILES)
      .filter(({ frame }) => frame < this.frame).forEach(({ level, key }) => level.tiles.delete(key));
  }
}
