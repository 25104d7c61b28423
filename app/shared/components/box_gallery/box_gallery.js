// Small pictures with boxes: a click or Enter opens one, arrow keys go from one to the next.
const SHOWN = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".gallery");
  const text = JSON.stringify(data);
  root.open = (key) => setTriggerValue("open", key);
  if (SHOWN.get(parentElement) === text) return;
  const old = SHOWN.has(parentElement) ? JSON.parse(SHOWN.get(parentElement)) : null;
  SHOWN.set(parentElement, text);
  const isSame = old && JSON.stringify({ ...old, chosen: null }) === JSON.stringify({ ...data, chosen: null });
  if (!isSame) draw(root, data);
  mark(root, data.chosen);
}

function draw(root, data) {
  root.classList.toggle("narrow", data.narrow);
  root.setAttribute("aria-label", data.label);
  root.replaceChildren(...data.items.map((item) => drawn(root, item)));
  root.onkeydown = (event) => move(root, event);
}

function drawn(root, item) {
  const picture = document.createElement("div");
  picture.className = "picture";
  const frame = document.createElement("div");
  frame.className = "frame";
  frame.style.aspectRatio = String(item.shape);
  frame.classList.add(item.shape >= 1 ? "wide" : "tall");
  const image = document.createElement("img");
  Object.assign(image, { src: item.picture, alt: "", loading: "lazy", decoding: "async" });
  frame.classList.add("loading");
  image.addEventListener("load", () => frame.classList.remove("loading"));
  frame.append(image, ...item.boxes.map(drawnBox));
  picture.append(frame);
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.key = item.key;
  button.setAttribute("role", "option");
  const caption = document.createElement("span");
  caption.textContent = item.caption;
  const more = document.createElement("small");
  more.textContent = item.more;
  button.append(picture, caption, more);
  button.onclick = () => { mark(root, item.key); root.open(item.key); };
  return button;
}

function drawnBox([left, top, width, height, kind]) {
  const box = document.createElement("i");
  box.className = kind;
  Object.assign(box.style, { left: `${left}%`, top: `${top}%`, width: `${width}%`, height: `${height}%` });
  return box;
}

function mark(root, key) {
  for (const button of root.querySelectorAll("button")) button.setAttribute("aria-selected", String(button.dataset.key === key));
  root.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
}

const STEPS = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1, Home: -1e6, End: 1e6 };

function move(root, event) {
  const step = STEPS[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
  const buttons = [...root.querySelectorAll("button")];
  const here = buttons.indexOf(root.getRootNode().activeElement);
  buttons[Math.max(0, Math.min(buttons.length - 1, here + step))]?.focus();
  event.preventDefault();
}
