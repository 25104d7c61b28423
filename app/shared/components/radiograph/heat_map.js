// The maps of boxes: fetched once each, drawn in colours or as contours.

// Anchors of the cividis colour map (Nunez et al. 2018), readable by colour-blind people.
const CIVIDIS = [
  [0, 34, 78], [18, 53, 112], [59, 73, 108], [87, 93, 109], [112, 113, 115],
  [138, 134, 120], [165, 156, 116], [195, 179, 105], [225, 204, 85], [254, 232, 56],
];
// Diverging, readable by colour-blind people: what lowered the score blue, what raised it orange.
const LOWERED = [84, 160, 255];
const RAISED = [255, 159, 28];
const SIGNED_CONTOURS = [[96, "#54a0ff"], [160, "#ffd08a"], [192, "#ff9f1c"]]; // at a quarter below zero, a quarter and a half above
const CONTOURS = [[64, "#6f8fc4"], [128, "#c9b66a"], [191, "#fee838"]]; // 25, 50 and 75 % of the maximum

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
    const table = place.isSigned ? HeatMapPicture.signedTable() : HeatMapPicture.table();
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

  // 128 is zero.
  static signedTable() {
    return Uint32Array.from({ length: 256 }, (_, i) => {
      const [r, g, b] = i < 128 ? LOWERED : RAISED;
      const alpha = Math.round(255 * Math.min(1, Math.max(0, (Math.abs(i - 128) / 127 - 0.06) * 1.8)));
      return ((alpha << 24) | (b << 16) | (g << 8) | r) >>> 0;
    });
  }

  // { map, why }: map is null when it is empty, why says the reason.
  static async fetch(url) {
    const response = await fetch(url, { credentials: "same-origin" });
    if (!response.ok) throw new Error((await response.text()).slice(0, 200));
    const header = (name) => Number(response.headers.get(name));
    const place = { x0: header("X-Left"), y0: header("X-Top"), width: header("X-Width"), height: header("X-Height") };
    place.isSigned = response.headers.get("X-Signed") === "1";
    const isEmpty = response.headers.get("X-Empty") === "1";
    const values = new Uint8Array(await response.arrayBuffer());
    return { map: isEmpty ? null : new HeatMapPicture(values, place), why: response.headers.get("X-Why-Empty") || "nothing raised its score there" };
  }

  // In image coordinates.
  paint(context, { opacity, asContours, zoom }) {
    context.save();
    context.globalAlpha = opacity;
    if (asContours) for (const [path, colour] of this.#contours()) {
      context.lineWidth = 1.4 / zoom;
      context.strokeStyle = colour;
      context.stroke(path);
    }
    else {
      context.imageSmoothingEnabled = true;
      context.drawImage(this.canvas, this.x0, this.y0);
    }
    context.restore();
  }

  // Edges between px inside and outside of each level; made once.
  #contours() {
    if (this.paths) return this.paths;
    const { values, width, height, x0, y0 } = this;
    this.paths = (this.isSigned ? SIGNED_CONTOURS : CONTOURS).map(([level, colour]) => {
      const path = new Path2D();
      for (let y = 1; y < height; y += 1)
        for (let x = 1; x < width; x += 1) {
          const here = values[y * width + x] >= level;
          if (here !== values[y * width + x - 1] >= level) { path.moveTo(x0 + x, y0 + y); path.lineTo(x0 + x, y0 + y + 1); }
          if (here !== values[(y - 1) * width + x] >= level) { path.moveTo(x0 + x, y0 + y); path.lineTo(x0 + x + 1, y0 + y); }
        }
      return [path, colour];
    });
    return this.paths;
  }
}

export class HeatMaps {
  // onChange: a map arrived.
  constructor(onChange) {
    this.onChange = onChange;
    this.clear();
  }

  clear() { this.entries = new Map(); }

  // { map, text(name) } of an address, fetched when it is not there yet; map is null while there is nothing to draw.
  get(address) {
    if (!this.entries.has(address)) this.#fetch(address);
    return this.entries.get(address);
  }

  async #fetch(address) {
    const { entries } = this;
    entries.set(address, { map: null, text: (name) => `${name}: computing` });
    try {
      const { map, why } = await HeatMapPicture.fetch(address);
      const said = map?.isSigned ? "orange raised its score, blue lowered it" : "what raised its score";
      entries.set(address, { map, text: (name) => (map ? `${name}: ${said}` : `${name} is empty: ${why}`) });
    } catch (error) {
      entries.set(address, { map: null, text: (name) => `no ${name}: ${error.message}` });
    }
    if (entries === this.entries) this.onChange();
  }
}
