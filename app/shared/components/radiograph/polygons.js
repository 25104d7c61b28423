// Polygons as lists of corners [x, y] in image px; a rotated box is one of four corners at right angles.
const LEAST_SIDE_PX = 2;
const RIGHT_ANGLE_WITHIN = 0.01; // of the product of the sides, which corners to 0.01 px keep

export function boundsOf(polygon) {
  const [xs, ys] = [polygon.map(([x]) => x), polygon.map(([, y]) => y)];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

export const cornersOf = ([x0, y0, x1, y1]) => [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];

export const movedBy = (polygon, dx, dy) => polygon.map(([x, y]) => [x + dx, y + dy]);

export const isInside = (polygon, { width, height }) => polygon.every(([x, y]) => x >= 0 && y >= 0 && x <= width && y <= height);

// As its bounds go from one box to another.
export function fitted(polygon, from, to) {
  const [sx, sy] = [(to[2] - to[0]) / (from[2] - from[0] || 1), (to[3] - to[1]) / (from[3] - from[1] || 1)];
  return polygon.map(([x, y]) => [to[0] + (x - from[0]) * sx, to[1] + (y - from[1]) * sy]);
}

// Around the middle of its bounds; degrees, clockwise as seen with y downwards.
export function turned(polygon, degrees) {
  const [x0, y0, x1, y1] = boundsOf(polygon);
  const [cx, cy, angle] = [(x0 + x1) / 2, (y0 + y1) / 2, (degrees * Math.PI) / 180];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return polygon.map(([x, y]) => [cx + (x - cx) * cos - (y - cy) * sin, cy + (x - cx) * sin + (y - cy) * cos]);
}

const between = ([ax, ay], [bx, by]) => [bx - ax, by - ay];
const dot = ([ax, ay], [bx, by]) => ax * bx + ay * by;

export function isRectangle(polygon) {
  if (polygon.length !== 4) return false;
  return polygon.every((corner, i) => {
    const [a, b] = [between(corner, polygon[(i + 1) % 4]), between(corner, polygon[(i + 3) % 4])];
    const sides = Math.hypot(...a) * Math.hypot(...b);
    return sides > 0 && Math.abs(dot(a, b)) <= Math.max(RIGHT_ANGLE_WITHIN * sides, 0.02 * (Math.hypot(...a) + Math.hypot(...b)));
  });
}

// A rectangle whose sides lie along the image says no more than its box.
export const isUpright = (polygon) => isRectangle(polygon) && polygon.every(([x, y], i) => {
  const [nx, ny] = polygon[(i + 1) % 4];
  return Math.min(Math.abs(nx - x), Math.abs(ny - y)) <= 0.02;
});

function axesOf(rectangle) {
  const unit = (vector) => vector.map((value) => value / (Math.hypot(...vector) || 1));
  return [unit(between(rectangle[0], rectangle[1])), unit(between(rectangle[0], rectangle[3]))];
}

const atLeast = (value) => (Math.abs(value) < LEAST_SIDE_PX ? (value < 0 ? -LEAST_SIDE_PX : LEAST_SIDE_PX) : value);

// A corner of a rotated box is dragged: the opposite one and the angle stay.
export function cornerDragged(rectangle, i, dx, dy) {
  const [u, v] = axesOf(rectangle);
  const still = rectangle[(i + 2) % 4];
  const to = between(still, [rectangle[i][0] + dx, rectangle[i][1] + dy]);
  const [a, b] = [atLeast(dot(to, u)), atLeast(dot(to, v))];
  const at = (along, across) => [still[0] + along * u[0] + across * v[0], still[1] + along * u[1] + across * v[1]];
  const changed = [...rectangle];
  changed[i] = at(a, b);
  changed[(i + 1) % 4] = i % 2 ? at(a, 0) : at(0, b);
  changed[(i + 3) % 4] = i % 2 ? at(0, b) : at(a, 0);
  return changed;
}

// A side of a rotated box is dragged, from corner i to the next: only across.
export function sideDragged(rectangle, i, dx, dy) {
  const [u, v] = axesOf(rectangle);
  const [ux, uy] = i % 2 ? u : v;
  const [p, q] = [i, (i + 1) % 4];
  const opposite = rectangle[(i + 3) % 4];
  const size = dot(between(opposite, rectangle[p]), [ux, uy]);
  const step = atLeast(size + dx * ux + dy * uy) - size;
  return rectangle.map(([x, y], at) => (at === p || at === q ? [x + step * ux, y + step * uy] : [x, y]));
}
