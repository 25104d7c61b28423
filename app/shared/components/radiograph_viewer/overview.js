// The bar under a long film: all of it, the part on screen, what has been seen at 1:1 or more, and where indications are.
const HEIGHT_PX = 46;
const LONG = 2.5; // longer than so many times its height: a long film

export const isLong = ({ width, height }) => Math.max(width, height) > LONG * Math.min(width, height);

export class Overview {
  // go([x, y]): the point of the image that was clicked or dragged to.
  constructor(canvas, go) {
    Object.assign(this, { canvas, source: null, kept: null });
    const point = ({ offsetX, offsetY }) => this.#toImage(offsetX, offsetY);
    canvas.addEventListener("pointerdown", (event) => {
      if (!this.source) return;
      canvas.setPointerCapture(event.pointerId);
      go(point(event));
    });
    canvas.addEventListener("pointermove", (event) => { if (this.source && canvas.hasPointerCapture(event.pointerId)) go(point(event)); });
  }

  get #size() { return [this.canvas.clientWidth || 1, HEIGHT_PX]; }

  // The longer side of the film runs along the bar, which squeezes the shorter one.
  #matrix() {
    const [w, h] = this.#size;
    const { width, height } = this.source;
    return width >= height ? new DOMMatrix([w / width, 0, 0, h / height, 0, 0]) : new DOMMatrix([0, h / width, w / height, 0, 0, 0]);
  }

  #toImage(x, y) {
    const point = this.#matrix().inverse().transformPoint({ x, y });
    return [point.x, point.y];
  }

  #toBar([x0, y0, x1, y1]) {
    const [p, q] = [[x0, y0], [x1, y1]].map(([x, y]) => this.#matrix().transformPoint({ x, y }));
    return [Math.min(p.x, q.x), Math.min(p.y, q.y), Math.abs(p.x - q.x), Math.abs(p.y - q.y)];
  }

  // source: the radiograph, null for none; grid: its SeenGrid; seen: what is on screen, one rectangle for each strip; boxes: those on show.
  show({ source, grid, seen, boxes }) {
    const { canvas } = this;
    this.source = source?.picture && isLong(source) ? source : null;
    canvas.hidden = !this.source;
    if (!this.source) return;
    const density = window.devicePixelRatio || 1;
    const [width, height] = this.#size.map((side) => Math.round(side * density));
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.#film(width, height, density), 0, 0);
    context.setTransform(density, 0, 0, density, 0, 0);
    this.#paintUnseen(context, grid);
    context.fillStyle = "#4fa3e0";
    for (const { box } of boxes) {
      const [x, , w] = this.#toBar(box);
      context.fillRect(x, HEIGHT_PX - 4, Math.max(2, w), 4);
    }
    for (const part of seen) this.#paintSeen(context, part);
  }

  #paintSeen(context, part) {
    const [x, y, w, h] = this.#toBar(part);
    for (const [colour, line] of [["#0c0e10", 4], ["#f0d77b", 2]]) {
      Object.assign(context, { strokeStyle: colour, lineWidth: line });
      context.strokeRect(Math.max(1, x), Math.max(1, y), Math.min(w, this.#size[0] - Math.max(1, x) - 1), Math.min(h, HEIGHT_PX - Math.max(1, y) - 1));
    }
  }

  // The film in the bar, made again when its window changed.
  #film(width, height, density) {
    const { picture, width: imageWidth, height: imageHeight } = this.source;
    const name = [width, height, picture.revision].join();
    if (this.kept?.picture === picture && this.kept.name === name) return this.kept.canvas;
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    context.setTransform(new DOMMatrix().scale(density).multiply(this.#matrix()));
    const longer = width / Math.max(imageWidth, imageHeight);
    while (!picture.paint(context, [0, 0, imageWidth, imageHeight], longer));
    this.kept = { picture, name, canvas };
    return canvas;
  }

  #paintUnseen(context, { cells, columns, cellPx, width, height }) {
    context.fillStyle = "rgb(8 10 12 / 50%)";
    for (const [at, isSeen] of cells.entries()) {
      if (isSeen) continue;
      const [x, y] = [(at % columns) * cellPx, Math.floor(at / columns) * cellPx];
      context.fillRect(...this.#toBar([x, y, Math.min(x + cellPx, width), Math.min(y + cellPx, height)]));
    }
  }
}
