// A long film wrapped into strips, one below the other, so that they fill the height of the screen.
const GAP_PX = 8;
const OVERLAP = 0.05;
const MOST_STRIPS = 8;
const WORTH_ONE_MORE = 1.15; // times the zoom, else the strips would show the same twice
const LEAST_GAIN = 1.3; // so many times the zoom of the whole film, or it is not worth cutting it

// image, screen: [width, height]; the image runs along the screen. band: { extentWithin(from, to) } of the part to show,
// null shows the whole breadth; isReversed: the film runs from right to left. Returns { zoom, strips: [{ x, y, top,
// bottom, from, to }] } with the middle of each in the image, its rows on the screen and its stretch of the film; null
// where strips gain nothing.
export function wrapped({ image: [length, breadth], screen: [width, height], band = null, isReversed = false }) {
  const whole = Math.min((width - 8) / length, (height - 8) / breadth);
  let best = null;
  for (let count = 1; count <= MOST_STRIPS; count += 1) {
    const row = (height - 8 - GAP_PX * (count - 1)) / count;
    if (row < 40) break;
    const zoom = zoomOf({ length, breadth, width: width - 8, row, count, band });
    if (!best || zoom > WORTH_ONE_MORE * best.zoom) best = { zoom, count, row };
  }
  if (!best || best.zoom < LEAST_GAIN * whole) return null;
  const { zoom, count, row } = best;
  const strips = stretches(length, (width - 8) / zoom, count).map(([from, to], i) => {
    const [first, last] = band?.extentWithin(from, to) ?? [0, breadth];
    return { x: (from + to) / 2, y: (first + last) / 2, from, to, place: isReversed ? count - 1 - i : i };
  }).toSorted((a, b) => a.place - b.place);
  return { zoom, strips: strips.map(({ place, ...strip }) => ({ ...strip, top: 4 + place * (row + GAP_PX), bottom: 4 + place * (row + GAP_PX) + row })) };
}

// The highest zoom at which so many strips hold the film; a smaller one makes each of them longer and so higher.
function zoomOf({ length, breadth, width, row, count, band }) {
  let zoom = (width * (1 + (count - 1) * (1 - OVERLAP))) / length;
  for (let turn = 0; turn < 3; turn += 1) {
    const heights = stretches(length, width / zoom, count).map(([from, to]) => {
      const [first, last] = band?.extentWithin(from, to) ?? [0, breadth];
      return last - first;
    });
    zoom = Math.min(zoom, row / Math.max(...heights));
  }
  return zoom;
}

function stretches(length, span, count) {
  const reach = Math.min(span, length);
  return Array.from({ length: count }, (_, i) => {
    const from = count > 1 ? (i * (length - reach)) / (count - 1) : (length - reach) / 2;
    return [from, from + reach];
  });
}
