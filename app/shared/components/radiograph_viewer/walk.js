// The stops of a walk along a film: left to right, lane by lane, each overlapping the one before.
const OVERLAP = 0.15;

// Middles of the stops along one side; view: the part of it that is on screen.
function middles(side, view) {
  if (view >= side) return [side / 2];
  const count = Math.ceil((side - view) / (view * (1 - OVERLAP))) + 1;
  return Array.from({ length: count }, (_, i) => view / 2 + (i * (side - view)) / (count - 1));
}

// The stop after (by 1) or before (by -1) a point, null at the end of the film. image, view: [width, height] in px of
// the image; band: { breadth, middleAt(along) } of the part to follow, null walks all of the film. A film that stands
// upright is walked downwards.
export function nextStop({ image, view, at, by, band = null }) {
  const isUpright = image[1] > image[0];
  const turned = ([x, y]) => (isUpright ? [y, x] : [x, y]);
  const [[length, breadth], [seenLength, seenBreadth], [along, across]] = [turned(image), turned(view), turned(at)];
  const columns = middles(length, seenLength);
  const middleAt = band ? (place) => band.middleAt(place) : () => breadth / 2;
  const lanes = middles(band ? band.breadth : breadth, seenBreadth).map((middle) => middle - (band ? band.breadth : breadth) / 2);
  const lane = nearest(lanes, across - middleAt(along));
  const near = Math.max(1, seenLength * 0.01);
  const column = by > 0 ? columns.findIndex((middle) => middle > along + near) : columns.findLastIndex((middle) => middle < along - near);
  const [toLane, toColumn] = column >= 0 ? [lane, column] : [lane + by, by > 0 ? 0 : columns.length - 1];
  if (toLane < 0 || toLane >= lanes.length) return null;
  return turned([columns[toColumn], middleAt(columns[toColumn]) + lanes[toLane]]);
}

// The first stop.
export function firstStop({ image, view, band = null }) {
  return nextStop({ image, view, at: [-view[0] - image[0], -view[1] - image[1]], by: 1, band });
}

function nearest(values, value) {
  return values.reduce((best, one, i) => (Math.abs(one - value) < Math.abs(values[best] - value) ? i : best), 0);
}
