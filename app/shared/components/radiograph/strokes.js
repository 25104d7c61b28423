// Lines and labels that stand out on dark and on bright parts of a radiograph.
const LABEL_FONT = '12px "Source Sans", sans-serif';
const SHADOW = "rgba(0, 0, 0, 0.6)";

export function rectanglePath([x0, y0, x1, y1]) {
  const path = new Path2D();
  path.rect(x0, y0, x1 - x0, y1 - y0);
  return path;
}

// points: the corners, in order.
export function polygonPath(points) {
  const path = new Path2D();
  for (const [i, [x, y]] of points.entries()) path[i ? "lineTo" : "moveTo"](x, y);
  path.closePath();
  return path;
}

// lines: pairs of points.
export function linesPath(...lines) {
  const path = new Path2D();
  for (const [from, to] of lines) {
    path.moveTo(...from);
    path.lineTo(...to);
  }
  return path;
}

export function stroke(context, path, width, colour, dash = []) {
  context.setLineDash(dash);
  context.lineWidth = width;
  context.strokeStyle = colour;
  context.stroke(path);
  context.setLineDash([]);
}

// A stroke over its shadow.
export function strokeOnShadow(context, path, shadowWidth, width, colour, dash = []) {
  stroke(context, path, shadowWidth, SHADOW);
  stroke(context, path, width, colour, dash);
}

// { text, width, height, isStrong } of a label.
export function measuredLabel(context, text, isStrong = false) {
  context.font = `${isStrong ? 600 : 500} ${LABEL_FONT}`;
  return { text, width: context.measureText(text).width + 10, height: 17, isStrong };
}

export function paintLabel(context, { text, x, y, width, height, isStrong }, isWeak = false) {
  context.font = `${isStrong ? 600 : 500} ${LABEL_FONT}`;
  context.fillStyle = isStrong ? "rgba(255, 255, 255, 0.94)" : "rgba(10, 12, 14, 0.78)";
  context.fillRect(x, y, width, height);
  context.fillStyle = isStrong ? "#0c0e10" : isWeak ? "#a3abb3" : "#e6e8ea";
  context.fillText(text, x + 5, y + 12.5);
}

export function overlaps(a, b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
