// Measurements, always in the original samples. A sample s stands for the value offset + slope * s.

// Counts of every sample value; a generator, see `inTurns`.
export function* histogramOf(values, valueCount) {
  const counts = new Uint32Array(valueCount);
  const step = 1 << 18;
  for (let from = 0; from < values.length; from += step) {
    const to = Math.min(values.length, from + step);
    for (let i = from; i < to; i += 1) counts[values[i]] += 1;
    yield;
  }
  return counts;
}

// The smallest sample value that at least this fraction (0..1) of the samples do not exceed.
export function percentileOf(histogram, fraction) {
  let total = 0;
  for (const count of histogram) total += count;
  let seen = 0;
  for (let value = 0; value < histogram.length; value += 1) {
    seen += histogram[value];
    if (seen > 0 && seen >= total * fraction) return value;
  }
  return histogram.length - 1;
}

// Whole px [x0, x1) x [y0, y1) whose centres lie in a dragged rectangle, within the image; null when none.
export function regionOf(a, b, width, height) {
  const edge = (value, high) => Math.min(high, Math.max(0, Math.ceil(value - 0.5)));
  const [x0, x1] = [Math.min(a[0], b[0]), Math.max(a[0], b[0])].map((x) => edge(x, width));
  const [y0, y1] = [Math.min(a[1], b[1]), Math.max(a[1], b[1])].map((y) => edge(y, height));
  return x1 > x0 && y1 > y0 ? { x0, y0, x1, y1 } : null;
}

// n, mean, sd (n - 1; 0 for one px), min and max of a region.
export function regionStatistics(values, width, { x0, y0, x1, y1 }, { offset, slope }) {
  const shift = values[y0 * width + x0];
  let [sum, squares, min, max] = [0, 0, shift, shift];
  for (let y = y0; y < y1; y += 1)
    for (let i = y * width + x0, end = y * width + x1; i < end; i += 1) {
      const value = values[i];
      const off = value - shift;
      sum += off;
      squares += off * off;
      if (value < min) min = value;
      else if (value > max) max = value;
    }
  const n = (x1 - x0) * (y1 - y0);
  const mean = offset + slope * (shift + sum / n);
  const sd = n > 1 ? Math.abs(slope) * Math.sqrt(Math.max(0, squares - (sum * sum) / n) / (n - 1)) : 0;
  return { n, mean, sd, min: offset + slope * min, max: offset + slope * max };
}

export function regionHistogram(values, width, { x0, y0, x1, y1 }, valueCount) {
  const counts = new Uint32Array(valueCount);
  for (let y = y0; y < y1; y += 1)
    for (let i = y * width + x0, end = y * width + x1; i < end; i += 1) counts[values[i]] += 1;
  return counts;
}

// Values along a-b about one px apart, bilinear, averaged over `bandPx` parallel lines one px apart.
// Points are continuous (px i covers i..i+1); NaN where any part of the width lies outside of the image.
// The same as `tests.imaging.measuring`.
export function sampleProfile(values, width, height, { a, b, bandPx }, { offset, slope }) {
  const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
  const n = Math.max(2, Math.ceil(length) + 1);
  const [ux, uy] = length ? [(b[0] - a[0]) / length, (b[1] - a[1]) / length] : [1, 0];
  const samples = new Float64Array(n);
  for (let i = 0; i < n; i += 1) {
    const along = (i * length) / (n - 1);
    let sum = 0;
    for (let k = 0; k < bandPx; k += 1) {
      const across = k - (bandPx - 1) / 2;
      sum += bilinear(values, width, height, a[0] + along * ux - across * uy - 0.5, a[1] + along * uy + across * ux - 0.5);
    }
    samples[i] = offset + (slope * sum) / bandPx;
  }
  return { samples, lengthPx: length, stepPx: length / (n - 1) };
}

function bilinear(values, width, height, x, y) {
  if (!(x >= -0.5 && x <= width - 0.5 && y >= -0.5 && y <= height - 0.5)) return NaN;
  const cx = Math.min(width - 1, Math.max(0, x));
  const cy = Math.min(height - 1, Math.max(0, y));
  const [x0, y0] = [Math.floor(cx), Math.floor(cy)];
  const [x1, y1] = [Math.min(width - 1, x0 + 1), Math.min(height - 1, y0 + 1)];
  const [fx, fy] = [cx - x0, cy - y0];
  const upper = values[y0 * width + x0] * (1 - fx) + values[y0 * width + x1] * fx;
  const lower = values[y1 * width + x0] * (1 - fx) + values[y1 * width + x1] * fx;
  return upper * (1 - fy) + lower * fy;
}

// Indices of minimum and maximum, and the dip (A + B - 2C) / (A + B) of ISO 19232-5: C the minimum, A and B
// the highest values before and after it. The dip is null where the minimum lies at an end, all of it where
// no sample lies in the image.
export function profileReading(samples) {
  const known = [...samples.keys()].filter((i) => Number.isFinite(samples[i]));
  if (!known.length) return null;
  const low = known.reduce((best, i) => (samples[i] < samples[best] ? i : best));
  const high = known.reduce((best, i) => (samples[i] > samples[best] ? i : best));
  const most = (list) => list.reduce((best, i) => Math.max(best, samples[i]), -Infinity);
  const [before, after] = [most(known.filter((i) => i < low)), most(known.filter((i) => i > low))];
  const isDip = Number.isFinite(before + after) && before + after > 0;
  return { low, high, dip: isDip ? (before + after - 2 * samples[low]) / (before + after) : null };
}
