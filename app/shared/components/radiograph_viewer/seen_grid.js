// What of the radiograph has been on screen at 1:1 or more, on a coarse grid; the server reads the same (core/domain/seen.py).
import { isWithin } from "../radiograph/lasso.js";

const MOST_CELLS = 64;
const LEAST_CELL_PX = 64;

export class SeenGrid {
  constructor(width, height) {
    const cellPx = Math.max(LEAST_CELL_PX, Math.ceil(Math.max(width, height) / MOST_CELLS));
    Object.assign(this, { width, height, cellPx, columns: Math.ceil(width / cellPx), rows: Math.ceil(height / cellPx) });
    this.cells = new Uint8Array(this.columns * this.rows);
  }

  // Marks the cells that lie wholly within [left, top, right, bottom] of the image; whether one is new.
  mark([left, top, right, bottom]) {
    const { cellPx, columns, rows } = this;
    let isNew = false;
    for (let row = Math.max(0, Math.ceil(top / cellPx)); row < rows && Math.min((row + 1) * cellPx, this.height) <= bottom; row += 1)
      for (let column = Math.max(0, Math.ceil(left / cellPx)); column < columns && Math.min((column + 1) * cellPx, this.width) <= right; column += 1) {
        const at = row * columns + column;
        if (!this.cells[at]) isNew = true;
        this.cells[at] = 1;
      }
    return isNew;
  }

  // The share of the area that was seen, 0 to 1.
  get share() { return this.#shareOf(() => true); }

  // The same of the cells whose middle lies in a polygon.
  shareIn(points) {
    return this.#shareOf((at) => {
      const [row, column] = [Math.floor(at / this.columns), at % this.columns];
      const middle = (place, side) => (place * this.cellPx + Math.min(side, (place + 1) * this.cellPx)) / 2;
      return isWithin([middle(column, this.width), middle(row, this.height)], points);
    });
  }

  #shareOf(counts) {
    let [seen, total] = [0, 0];
    for (const [at, isSeen] of this.cells.entries()) {
      if (!counts(at)) continue;
      const area = this.#areaOf(at);
      total += area;
      if (isSeen) seen += area;
    }
    return total ? seen / total : 1;
  }

  #areaOf(at) {
    const [row, column] = [Math.floor(at / this.columns), at % this.columns];
    return Math.min(this.cellPx, this.width - column * this.cellPx) * Math.min(this.cellPx, this.height - row * this.cellPx);
  }

  // Bits, the first cell highest, in base64.
  get text() {
    const bytes = new Uint8Array(Math.ceil(this.cells.length / 8));
    for (const [at, isSeen] of this.cells.entries()) if (isSeen) bytes[at >> 3] |= 0x80 >> (at & 7);
    return btoa(String.fromCharCode(...bytes));
  }

  // Adds the cells of a text.
  merge(text) {
    const bytes = atob(text);
    for (let at = 0; at < this.cells.length; at += 1) if ((bytes.charCodeAt(at >> 3) >> (7 - (at & 7))) & 1) this.cells[at] = 1;
  }
}
