// A table of records: a row is a link; a plain click or Enter is reported instead of followed.
const SHOWN = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".records");
  const text = JSON.stringify(data);
  const before = SHOWN.get(parentElement);
  SHOWN.set(parentElement, { text });
  root.open = (key) => setTriggerValue("open", key);
  if (before?.text === text) return;
  const old = before && JSON.parse(before.text);
  const isSame = old && JSON.stringify({ ...old, chosen: null }) === JSON.stringify({ ...data, chosen: null });
  if (isSame) mark(root, data.chosen);
  else draw(root, data);
}

function draw(root, data) {
  root.style.maxHeight = `calc(100vh - ${data.below}px)`;
  const head = element("tr", {}, element("th", { class: "picture", "aria-label": "picture" }));
  for (const column of data.columns) head.append(element("th", { scope: "col", text: column }));
  const body = element("tbody");
  for (const row of data.rows) body.append(drawnRow(root, row));
  const table = element("table", { "aria-label": data.label }, element("thead", {}, head), body);
  root.replaceChildren(table);
  root.scrollTop = 0;
  root.onkeydown = (event) => move(root, event);
  mark(root, data.chosen);
  const open = root.querySelector("tr[aria-selected] a");
  if (open && document.activeElement === document.body) open.focus(); // whoever opened it goes on from there
}

function drawnRow(root, row) {
  const line = element("tr", { "data-key": row.key });
  const picture = element("td", { class: "picture" });
  if (row.thumbnail) picture.append(element("img", { src: row.thumbnail, alt: "", loading: "lazy", decoding: "async" }));
  line.append(picture);
  row.cells.forEach(([text, more, kind], index) => {
    const cell = element("td", { class: kind || null });
    const first = index === 0 ? element("a", { href: row.address, "aria-label": row.label, text }) : element("span", { text });
    cell.append(first);
    if (more) cell.append(element("small", { text: more }));
    line.append(cell);
  });
  line.onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    mark(root, row.key);
    root.open(row.key);
  };
  return line;
}

function mark(root, key) {
  for (const line of root.querySelectorAll("tbody tr")) {
    if (line.dataset.key === key) line.setAttribute("aria-selected", "true");
    else line.removeAttribute("aria-selected");
  }
}

const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1e6, End: 1e6 };

function move(root, event) {
  const step = STEPS[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
  const links = [...root.querySelectorAll("tbody a")];
  const here = links.indexOf(root.getRootNode().activeElement);
  const next = links[Math.max(0, Math.min(links.length - 1, here + step))];
  next?.focus();
  next?.closest("tr").scrollIntoView({ block: "nearest" });
  event.preventDefault();
}

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) continue;
    if (name === "text") node.textContent = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}
