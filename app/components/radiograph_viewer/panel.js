// The panel beside the radiograph: indications, what is known about the image, threshold, downloads.
const two = (value) => value.toFixed(2);

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

function sizeText(box, image) {
  const [w, h] = [box[2] - box[0], box[3] - box[1]];
  const scale = image.mm_per_px;
  const longer = Math.max(w, h);
  if (!scale) return { cell: longer.toFixed(0), full: `${w.toFixed(0)} × ${h.toFixed(0)} px, scale unknown` };
  return {
    cell: (longer * scale).toFixed(longer * scale < 10 ? 1 : 0),
    full: `${(w * scale).toFixed(2)} × ${(h * scale).toFixed(2)} mm, ${image.pitch_source}`,
  };
}

function probabilityText(probability, calibration) {
  const percent = probability >= 0.995 ? "more than 99" : probability < 0.005 ? "less than 1" : `about ${Math.round(probability * 100)}`;
  return `${probabilityFigure(probability)}: of boxes the model reports like this, ${percent} in 100 were real ` +
    `(IoU 0.5; ${calibration.fitted_on}). It is not the chance that nothing was missed.`;
}

class Panel {
  // on: { select(n), threshold(value), tab() }
  constructor(root, on) {
    this.root = root;
    this.on = on;
    this.rows = new Map();
    this.$ = (query) => root.querySelector(query);
    this.$(".threshold").addEventListener("input", (event) => on.threshold(Number(event.target.value)));
    this.$("tbody").addEventListener("click", (event) => {
      const row = event.target.closest("tr");
      if (row) on.select(Number(row.dataset.n));
    });
    this.$("tbody").addEventListener("keydown", (event) => this.#key(event));
    for (const tab of root.querySelectorAll("[role=tab]")) tab.addEventListener("click", () => this.openTab(tab.dataset.tab));
  }

  openTab(name) {
    for (const tab of this.root.querySelectorAll("[role=tab]")) tab.setAttribute("aria-selected", String(tab.dataset.tab === name));
    for (const page of this.root.querySelectorAll("[role=tabpanel]")) page.hidden = page.dataset.tab !== name;
  }

  fill(data) {
    this.data = data;
    this.rows.clear();
    const image = data.image;
    this.$(".size-head").textContent = image?.mm_per_px ? "mm" : "px";
    this.$(".size-head").title = image?.mm_per_px
      ? `longer side of the box; ${image.pitch_source}` : "longer side of the box; the scale of this image is unknown";
    this.$("tbody").replaceChildren(...data.detections.map((d) => this.#row(d, image, data.calibration)));
    this.#fillFacts(data);
  }

  #row(detection, image, calibration) {
    const size = sizeText(detection.box, image);
    const row = element("tr", { "data-n": detection.n, tabindex: "-1", "aria-selected": "false" },
      element("td", { text: detection.n }),
      element("td", { text: detection.class, title: detection.iso6520 ? `ISO 6520-1: ${detection.iso6520}` : "no evidence for a class" }),
      element("td", { text: probabilityFigure(detection.probability), title: probabilityText(detection.probability, calibration) }),
      element("td", { text: size.cell, title: size.full }));
    this.rows.set(detection.n, row);
    return row;
  }

  // Hide rows below the threshold; returns how many are shown.
  filter(threshold) {
    let shown = 0;
    for (const detection of this.data.detections) {
      const isShown = detection.probability >= threshold;
      shown += isShown;
      this.rows.get(detection.n).hidden = !isShown;
    }
    const below = this.data.detections.length - shown;
    this.$(".threshold").value = threshold;
    this.$(".threshold-value").textContent = two(threshold);
    this.$(".counts").textContent = `${shown} shown, ${below} below`;
    this.$(".empty").hidden = shown > 0 || this.data.status.state !== "ready";
    this.$(".empty").textContent = below
      ? `Nothing at ${two(threshold)} or above. ${below} weaker ${below === 1 ? "box is" : "boxes are"} below the threshold.`
      : "The model reports nothing here. That is not proof that nothing is there.";
    this.root.dataset.shown = String(shown);
    const first = this.data.detections.find((d) => d.probability >= threshold);
    if (first && !this.root.querySelector("tbody tr[tabindex='0']:not([hidden])")) this.rows.get(first.n).tabIndex = 0;
    return shown;
  }

  select(n, takeFocus) {
    for (const [number, row] of this.rows) {
      row.setAttribute("aria-selected", String(number === n));
      row.tabIndex = number === n ? 0 : -1;
      if (number === n) {
        row.scrollIntoView({ block: "nearest" });
        if (takeFocus) row.focus({ preventScroll: true });
      }
    }
    this.#fillDetails(this.data?.detections.find((d) => d.n === n));
  }

  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const shown = [...this.root.querySelectorAll("tbody tr:not([hidden])")];
    const next = shown[shown.indexOf(event.target.closest("tr")) + step];
    if (next) this.on.select(Number(next.dataset.n), true);
    event.preventDefault();
    event.stopPropagation();
  }

  #fillDetails(detection) {
    const box = this.$(".details");
    box.hidden = !detection;
    if (!detection) return;
    const { image, calibration } = this.data;
    const code = detection.iso6520 ? ` (ISO 6520-1: ${detection.iso6520})` : "";
    this.$(".details-title").textContent = `${detection.n} · ${detection.class}${code}`;
    this.$(".details-size").textContent = sizeText(detection.box, image).full;
    this.$(".details-p").textContent = probabilityText(detection.probability, calibration);
    this.$(".details-raw").textContent =
      `raw score ${detection.score.toFixed(4)} · box ${detection.box.map((v) => v.toFixed(1)).join(", ")} px (x1, y1, x2, y2)`;
  }

  #fillFacts({ image, model, calibration, status }) {
    const facts = (list, pairs) => list.replaceChildren(...pairs.filter(([, value]) => value !== null && value !== undefined && value !== "")
      .flatMap(([name, value]) => [element("dt", { text: name }), element("dd", { text: value })]));
    facts(this.$(".image-facts"), image ? [
      ["File", image.name], ["Size", `${image.width} × ${image.height} px`], ["Depth", `${image.bit_depth} bit, ${image.file_format}`],
      ["Polarity", image.polarity_text],
      ["Scale", image.mm_per_px ? `${image.mm_per_px.toPrecision(3)} mm/px, ${image.pitch_source}` : "unknown: sizes in px"],
      ...Object.entries(image.fields), ...image.notes.map((note) => ["Note", note]), ["SHA-256", image.sha256],
    ] : []);
    facts(this.$(".model-facts"), model ? [
      ["Model", model.title], ["Weights", model.sha256], ["Calibration", `${calibration.method}, id ${calibration.id}`],
      ["Fitted on", calibration.fitted_on], ["Score cut", calibration.score_cut], ["Operating point", two(calibration.operating_probability)],
      ["Ran on", status.elapsed_ms ? `${model.device}, ${(status.elapsed_ms / 1000).toFixed(2)} s` : ""], ["Training data", model.data_notice],
    ] : []);
    this.$(".notice").textContent = model?.data_notice || "";
    this.$(".notice").title = model?.data_notice || "";
  }

  setLinks(links, threshold, selected) {
    const isReady = Boolean(links);
    this.$(".downloads").hidden = !isReady;
    if (!isReady) return;
    const at = `threshold=${threshold.toFixed(2)}`;
    this.$(".get-json").href = links.json;
    this.$(".get-png").href = `${links.png}&${at}`;
    const withMap = this.$(".get-map-png");
    withMap.hidden = selected === null;
    if (selected !== null) withMap.href = `${links.png}&${at}&map=${selected}`;
  }
}
