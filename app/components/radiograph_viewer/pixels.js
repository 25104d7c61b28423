// Native pixels of one radiograph, and their 8-bit picture under a window, kept in square tiles.
const TILE = 1024;

class PixelSource {
  constructor(image) {
    this.image = image;
    this.width = image.width;
    this.height = image.height;
    this.values = null;
    this.window = { lo: 0, hi: 1, invert: false };
    this.tiles = [];
    this.revision = 0;
  }

  async load(signal) {
    const response = await fetch(this.image.pixels_url, { signal, credentials: "same-origin" });
    if (!response.ok) throw new Error(`the pixels answered ${response.status}`);
    const bits = Number(response.headers.get("X-Sample-Bits"));
    const buffer = await response.arrayBuffer();
    this.values = bits === 8 ? new Uint8Array(buffer) : new Uint16Array(buffer);
    if (this.values.length !== this.width * this.height) throw new Error("the pixels came incomplete");
    // A stored sample s stands for the value offset + slope * s (only float radiographs are mapped).
    this.slope = Number(response.headers.get("X-Slope") || 1);
    this.offset = Number(response.headers.get("X-Offset") || 0);
    this.levels = bits === 8 ? 256 : 65536;
    this.histogram = this.#histogram();
    this.tiles = this.#makeTiles();
  }

  #histogram() {
    const counts = new Uint32Array(this.levels);
    const step = Math.max(1, Math.floor(this.values.length / 2_000_000));
    for (let i = 0; i < this.values.length; i += step) counts[this.values[i]] += 1;
    return counts;
  }

  #makeTiles() {
    const tiles = [];
    for (let y = 0; y < this.height; y += TILE)
      for (let x = 0; x < this.width; x += TILE) {
        const canvas = document.createElement("canvas");
        canvas.width = Math.min(TILE, this.width - x);
        canvas.height = Math.min(TILE, this.height - y);
        tiles.push({ x, y, canvas, revision: -1 });
      }
    return tiles;
  }

  // Stored sample at the given fraction (0..1) of the histogram.
  percentile(fraction) {
    let total = 0;
    for (const count of this.histogram) total += count;
    let seen = 0;
    for (let value = 0; value < this.levels; value += 1) {
      seen += this.histogram[value];
      if (seen >= total * fraction && seen > 0) return value;
    }
    return this.levels - 1;
  }

  setWindow(lo, hi, invert) {
    this.window = { lo, hi: Math.max(lo + 1, hi), invert };
    this.revision += 1;
    this.lut = null;
  }

  valueAt(x, y) {
    const stored = this.values[y * this.width + x];
    return this.offset + this.slope * stored;
  }

  #table() {
    if (this.lut) return this.lut;
    const { lo, hi, invert } = this.window;
    const lut = new Uint32Array(this.levels);
    for (let i = 0; i < this.levels; i += 1) {
      let grey = Math.round(Math.min(255, Math.max(0, ((i - lo) * 255) / (hi - lo))));
      if (invert) grey = 255 - grey;
      lut[i] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
    }
    this.lut = lut;
    return lut;
  }

  // The tile's canvas, rendered under the present window.
  picture(tile) {
    if (tile.revision === this.revision) return tile.canvas;
    const lut = this.#table();
    const { width, height } = tile.canvas;
    const context = tile.canvas.getContext("2d");
    const picture = context.createImageData(width, height);
    const out = new Uint32Array(picture.data.buffer);
    for (let row = 0; row < height; row += 1) {
      let from = (tile.y + row) * this.width + tile.x;
      const start = row * width;
      for (let column = 0; column < width; column += 1) out[start + column] = lut[this.values[from++]];
    }
    context.putImageData(picture, 0, 0);
    tile.revision = this.revision;
    return tile.canvas;
  }
}

// Anchors of the cividis colour map (Nunez et al. 2018), readable by colour-blind people.
const CIVIDIS = [
  [0, 34, 78], [18, 53, 112], [59, 73, 108], [87, 93, 109], [112, 113, 115],
  [138, 134, 120], [165, 156, 116], [195, 179, 105], [225, 204, 85], [254, 232, 56],
];

class HeatMapPicture {
  // values: Uint8Array of width * height at (x0, y0) of the image, one value a px.
  constructor(values, place) {
    Object.assign(this, place);
    this.values = values;
    this.canvas = document.createElement("canvas");
    this.canvas.width = place.width;
    this.canvas.height = place.height;
    const context = this.canvas.getContext("2d");
    const picture = context.createImageData(place.width, place.height);
    const table = HeatMapPicture.table();
    new Uint32Array(picture.data.buffer).set(Uint32Array.from(values, (value) => table[value]));
    context.putImageData(picture, 0, 0);
  }

  static table() {
    return Uint32Array.from({ length: 256 }, (_, i) => {
      const at = (i / 255) * (CIVIDIS.length - 1);
      const low = Math.floor(at);
      const high = Math.min(CIVIDIS.length - 1, low + 1);
      const [r, g, b] = CIVIDIS[low].map((v, c) => Math.round(v + (CIVIDIS[high][c] - v) * (at - low)));
      const alpha = Math.round(255 * Math.min(1, Math.max(0, (i / 255 - 0.06) * 1.8)));
      return ((alpha << 24) | (b << 16) | (g << 8) | r) >>> 0;
    });
  }

  static async fetch(url, signal) {
    const response = await fetch(url, { signal, credentials: "same-origin" });
    if (!response.ok) throw new Error((await response.text()).slice(0, 200));
    const header = (name) => Number(response.headers.get(name));
    const place = { x0: header("X-Left"), y0: header("X-Top"), width: header("X-Width"), height: header("X-Height") };
    const isEmpty = response.headers.get("X-Empty") === "1";
    const values = new Uint8Array(await response.arrayBuffer());
    return isEmpty ? { isEmpty: true } : new HeatMapPicture(values, place);
  }
}
