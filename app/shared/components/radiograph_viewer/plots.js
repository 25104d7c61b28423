// The histogram with the window on it, and the plot of a line profile.
import { figure } from "../radiograph/measures.js";
import { percentileOf } from "../radiograph/statistics.js";

const HISTOGRAM_BINS = 160;

function preparedContext(canvas) {
  const density = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = Math.max(1, Math.round(width * density));
  canvas.height = Math.max(1, Math.round(height * density));
  const context = canvas.getContext("2d");
  context.scale(density, density);
  const style = getComputedStyle(canvas);
  return { context, width, height, text: style.color, line: style.borderColor, accent: style.accentColor };
}

export class HistogramPlot {
  // root holds a canvas and two `.edge` sliders. on: { window(lo, hi) }
  constructor(root, on) {
    this.root = root;
    this.on = on;
    this.canvas = root.querySelector("canvas");
    this.edges = [...root.querySelectorAll(".edge")];
    this.edges.forEach((edge, i) => {
      edge.addEventListener("pointerdown", (event) => edge.setPointerCapture(event.pointerId));
      edge.addEventListener("pointermove", (event) => { if (edge.hasPointerCapture(event.pointerId)) this.#dragTo(i, event.clientX); });
      edge.addEventListener("keydown", (event) => this.#key(i, event));
    });
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.canvas);
  }

  destroy() { this.observer.disconnect(); }

  show(source) {
    this.source = source;
    if (source && this.counted !== source.picture) this.#count(source.picture);
    this.draw();
  }

  #count(picture) {
    this.counted = picture;
    const [from, to] = [percentileOf(picture.histogram, 0.0005), percentileOf(picture.histogram, 0.9995)];
    const margin = Math.max(1, 0.06 * (to - from));
    this.range = [Math.max(picture.low, from - margin), Math.max(Math.min(picture.high, to + margin), picture.low + 1)];
    const [low, high] = this.range;
    this.bins = new Float64Array(HISTOGRAM_BINS);
    picture.histogram.forEach((count, value) => {
      const bin = Math.floor(((value - low) / (high - low)) * (HISTOGRAM_BINS - 1) + 0.5);
      if (count && bin >= 0 && bin < HISTOGRAM_BINS) this.bins[bin] += count;
    });
  }

  draw() {
    if (!this.source?.picture || !this.canvas.clientWidth) return;
    const { context, width, height, text, accent } = preparedContext(this.canvas);
    const { lo, hi } = this.source.window;
    const most = Math.sqrt(Math.max(...this.bins)) || 1;
    const [from, to] = [this.#at(lo) * width, this.#at(hi) * width];
    context.fillStyle = accent;
    context.globalAlpha = 0.18;
    context.fillRect(from, 0, to - from, height);
    context.globalAlpha = 0.75;
    context.fillStyle = text;
    this.bins.forEach((count, i) => {
      const tall = (Math.sqrt(count) / most) * (height - 4);
      context.fillRect((i / HISTOGRAM_BINS) * width, height - tall, width / HISTOGRAM_BINS, tall);
    });
    [lo, hi].forEach((value, i) => {
      this.edges[i].style.left = `${(100 * this.#at(value)).toFixed(2)}%`;
      this.edges[i].setAttribute("aria-valuenow", figure(this.source.displayed(value)));
    });
    this.edges.forEach((edge) => {
      edge.setAttribute("aria-valuemin", figure(this.source.displayed(this.range[0])));
      edge.setAttribute("aria-valuemax", figure(this.source.displayed(this.range[1])));
    });
    const ends = this.root.querySelectorAll(".ends span");
    this.range.forEach((value, i) => { ends[i].textContent = figure(this.source.displayed(value)); });
  }

  #at(value) { return Math.min(1, Math.max(0, (value - this.range[0]) / (this.range[1] - this.range[0]))); }

  #dragTo(i, clientX) {
    const frame = this.canvas.getBoundingClientRect();
    const at = Math.min(1, Math.max(0, (clientX - frame.left) / frame.width));
    this.#set(i, this.range[0] + at * (this.range[1] - this.range[0]));
  }

  #key(i, event) {
    const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (!step || !this.source) return;
    const { lo, hi } = this.source.window;
    this.#set(i, [lo, hi][i] + step * (event.shiftKey ? 0.05 : 0.01) * (this.range[1] - this.range[0]));
    event.preventDefault();
    event.stopPropagation();
  }

  // The edges never pass each other.
  #set(i, value) {
    const { lo, hi } = this.source.window;
    if (i === 0) this.on.window(Math.min(value, hi - 1), hi);
    else this.on.window(lo, Math.max(value, lo + 1));
  }
}

// profile: { samples, step, unit, low, high } as in `readProfile`.
export function drawProfile(canvas, { samples, step, unit, low, high }) {
  if (!canvas.clientWidth) return;
  const { context, width, height, text, accent } = preparedContext(canvas);
  const [left, right, top, bottom] = [44, width - 10, 10, height - 22];
  const [min, max] = [samples[low], samples[high]];
  const span = max - min || 1;
  const x = (i) => left + (i / (samples.length - 1)) * (right - left);
  const y = (value) => bottom - ((value - min) / span) * (bottom - top);
  context.fillStyle = text;
  context.strokeStyle = text;
  context.globalAlpha = 0.35;
  context.strokeRect(left + 0.5, top + 0.5, right - left, bottom - top);
  context.globalAlpha = 1;
  context.font = '11px "Source Sans", sans-serif';
  context.textAlign = "right";
  context.fillText(figure(max), left - 5, top + 8);
  context.fillText(figure(min), left - 5, bottom);
  context.fillText(`${figure(step * (samples.length - 1))} ${unit}`, right, height - 7);
  context.textAlign = "left";
  context.fillText("0", left, height - 7);
  context.lineWidth = 1.25;
  context.strokeStyle = accent;
  context.beginPath();
  let isOn = false; // the line pauses where the profile leaves the image
  samples.forEach((value, i) => {
    if (Number.isFinite(value)) context[isOn ? "lineTo" : "moveTo"](x(i), y(value));
    isOn = Number.isFinite(value);
  });
  context.stroke();
  for (const i of [low, high]) {
    context.beginPath();
    context.arc(x(i), y(samples[i]), 3, 0, 2 * Math.PI);
    context.fill();
  }
}
