// Filters for looking, never for measuring. All are generators that yield between rows or tiles, see `inTurns`.

// Contrast limited adaptive histogram equalisation, step for step as in OpenCV's `createCLAHE`.
// values: samples below `levels`; returns Uint16Array in 0..top. table: sample -> bin, where they differ.
export function* clahe(values, width, height, { levels, tilesX, tilesY, clip, top, table = null }) {
  const isEven = width % tilesX === 0 && height % tilesY === 0;
  const tileWidth = isEven ? width / tilesX : Math.floor(width / tilesX) + 1;
  const tileHeight = isEven ? height / tilesY : Math.floor(height / tilesY) + 1;
  const bins = table ? binsOf(values, table) : values;
  const luts = [];
  for (let ty = 0; ty < tilesY; ty += 1)
    for (let tx = 0; tx < tilesX; tx += 1) {
      const place = { x: tx * tileWidth, y: ty * tileHeight, tileWidth, tileHeight };
      luts.push(claheTable(claheCounts(bins, width, height, place, levels), tileWidth * tileHeight, clip, top));
      yield;
    }
  const across = Array.from({ length: width }, (_, x) => neighbours(x / tileWidth - 0.5, tilesX));
  const out = new Uint16Array(values.length);
  for (let y = 0; y < height; y += 1) {
    const down = neighbours(y / tileHeight - 0.5, tilesY);
    const [upper, lower] = [down.first * tilesX, down.second * tilesX];
    for (let x = 0, i = y * width; x < width; x += 1, i += 1) {
      const { first, second, weight } = across[x];
      const bin = bins[i];
      const above = luts[upper + first][bin] * (1 - weight) + luts[upper + second][bin] * weight;
      const below = luts[lower + first][bin] * (1 - weight) + luts[lower + second][bin] * weight;
      out[i] = Math.round(above * (1 - down.weight) + below * down.weight);
    }
    if (y % 8 === 7) yield;
  }
  return out;
}

function binsOf(values, table) {
  const bins = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i += 1) bins[i] = table[values[i]];
  return bins;
}

function neighbours(at, count) {
  const first = Math.floor(at);
  return { first: Math.max(0, first), second: Math.min(count - 1, first + 1), weight: at - first };
}

// Histogram of one tile; beyond the right and lower edge the image is mirrored (the edge px is not repeated).
function claheCounts(bins, width, height, { x, y, tileWidth, tileHeight }, levels) {
  const counts = new Uint32Array(levels);
  const mirrored = (at, size) => (at < size ? at : Math.max(0, 2 * size - 2 - at));
  for (let row = y; row < y + tileHeight; row += 1) {
    const start = mirrored(row, height) * width;
    for (let column = x; column < x + tileWidth; column += 1) counts[bins[start + mirrored(column, width)]] += 1;
  }
  return counts;
}

function claheTable(counts, n, clip, top) {
  const levels = counts.length;
  const limit = Math.max(1, Math.floor((clip * n) / levels));
  let spare = 0;
  for (let i = 0; i < levels; i += 1)
    if (counts[i] > limit) {
      spare += counts[i] - limit;
      counts[i] = limit;
    }
  const share = Math.floor(spare / levels);
  let rest = spare - share * levels;
  for (let i = 0; i < levels; i += 1) counts[i] += share;
  const step = rest ? Math.max(1, Math.floor(levels / rest)) : levels;
  for (let i = 0; i < levels && rest > 0; i += step, rest -= 1) counts[i] += 1;
  const lut = new Uint16Array(levels);
  let sum = 0;
  for (let i = 0; i < levels; i += 1) {
    sum += counts[i];
    lut[i] = Math.min(top, Math.round((sum * top) / n));
  }
  return lut;
}

// Each value minus the mean of the square of `side` px (odd) around it, as far as it lies in the image,
// times `gain`, plus 32768, held within 0..65535.
export function* highPass(values, width, height, { side, gain }) {
  const reach = (side - 1) / 2;
  const columns = new Float64Array(width); // sums over the rows y - reach .. y + reach
  const addRow = (y, sign) => { for (let x = 0, i = y * width; x < width; x += 1, i += 1) columns[x] += sign * values[i]; };
  for (let y = 0; y < Math.min(reach, height); y += 1) addRow(y, 1);
  const out = new Uint16Array(values.length);
  for (let y = 0; y < height; y += 1) {
    if (y + reach < height) addRow(y + reach, 1);
    if (y - reach - 1 >= 0) addRow(y - reach - 1, -1);
    const rows = Math.min(height - 1, y + reach) - Math.max(0, y - reach) + 1;
    let sum = 0;
    for (let x = 0; x < Math.min(reach, width); x += 1) sum += columns[x];
    for (let x = 0, i = y * width; x < width; x += 1, i += 1) {
      if (x + reach < width) sum += columns[x + reach];
      if (x - reach - 1 >= 0) sum -= columns[x - reach - 1];
      const n = rows * (Math.min(width - 1, x + reach) - Math.max(0, x - reach) + 1);
      out[i] = Math.min(65535, Math.max(0, Math.round((values[i] - sum / n) * gain) + 32768));
    }
    yield;
  }
  return out;
}
