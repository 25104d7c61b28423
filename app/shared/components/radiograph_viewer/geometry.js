// Boxes as [x1, y1, x2, y2] in image px.
const LEAST_SIDE_PX = 2;

// The box between two points, in order and within the image; at least LEAST_SIDE_PX wide and high.
export function boxBetween(a, b, { width, height }) {
  const side = (p, q, high) => {
    const [from, to] = [Math.min(p, q), Math.max(p, q)].map((v) => Math.min(high, Math.max(0, v)));
    return to - from >= LEAST_SIDE_PX ? [from, to] : [Math.min(from, high - LEAST_SIDE_PX), Math.min(from, high - LEAST_SIDE_PX) + LEAST_SIDE_PX];
  };
  const [x0, x1] = side(a[0], b[0], width);
  const [y0, y1] = side(a[1], b[1], height);
  return [x0, y0, x1, y1];
}

export function shifted([x0, y0, x1, y1], dx, dy, { width, height }) {
  const [mx, my] = [Math.min(width - x1, Math.max(-x0, dx)), Math.min(height - y1, Math.max(-y0, dy))];
  return [x0 + mx, y0 + my, x1 + mx, y1 + my];
}

// To a hundredth of a px, as boxes are stored.
export function rounded(box) { return box.map((value) => Math.round(value * 100) / 100); }

export function isMoved(box, other) { return box.some((value, i) => Math.abs(value - other[i]) > 0.02); }

// Intersection over union.
export function overlapOf(a, b) {
  const [w, h] = [Math.min(a[2], b[2]) - Math.max(a[0], b[0]), Math.min(a[3], b[3]) - Math.max(a[1], b[1])];
  if (w <= 0 || h <= 0) return 0;
  const area = (box) => (box[2] - box[0]) * (box[3] - box[1]);
  return (w * h) / (area(a) + area(b) - w * h);
}

// The smallest box around all of them.
export function hullOf(boxes) {
  const side = (i, pick) => pick(...boxes.map((box) => box[i]));
  return [side(0, Math.min), side(1, Math.min), side(2, Math.max), side(3, Math.max)];
}

// "at x 812 y 402, 40 × 12 px"
export function placeText(box) {
  const [x0, y0, x1, y1] = box.map(Math.round);
  return `at x ${x0} y ${y0}, ${x1 - x0} × ${y1 - y0} px`;
}
