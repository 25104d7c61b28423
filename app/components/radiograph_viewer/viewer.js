// Glue: data from Python -> stage and panel; what the user does -> back to Python, late and little.
const BENCHES = new WeakMap();
const REPORT_AFTER_MS = 350;
const PREFETCH_AFTER_MS = 120;
const KEYS = [
  ["wheel, + -", "zoom at the cursor, in, out"], ["drag", "pan"], ["= or double click", "fit"], ["z", "one to one"],
  ["right drag, Alt drag", "window and level"], ["1 – 5", "window presets"], ["i", "invert"], ["h v", "flip"], ["r l", "rotate"],
  ["space", "reset the view"], ["g", "map of the selected box"], ["c", "map as contours"], ["n p", "next, previous indication"],
  ["↑ ↓ in the table", "next, previous indication"], ["← →", "previous, next image"], ["Esc", "close, deselect"], ["?", "this list"],
];

export default function (component) {
  const { data, parentElement, setStateValue, setTriggerValue } = component;
  let bench = BENCHES.get(parentElement);
  if (!bench) {
    bench = new Bench(parentElement.querySelector(".bench"));
    BENCHES.set(parentElement, bench);
  }
  bench.report = setStateValue;
  bench.trigger = setTriggerValue;
  bench.update(data);
  return () => { bench.destroy(); BENCHES.delete(parentElement); };
}

class Bench {
  constructor(root) {
    this.root = root;
    this.$ = (query) => root.querySelector(query);
    this.data = null;
    this.threshold = 0.5;
    this.selected = null;
    this.isMapOn = false;
    this.maps = new Map();
    this.stage = new Stage(this.$("canvas"), {
      select: (n) => this.select(n), hover: (at) => this.#showValue(at),
      window: () => { this.$(".preset").value = "own"; this.#showWindow(); this.#remember(); },
      view: () => { this.#showZoom(); this.#remember(); },
    });
    this.panel = new Panel(this.$(".panel"), {
      select: (n, takeFocus) => { this.select(n, takeFocus); this.#centreSelected(); }, threshold: (value) => this.setThreshold(value),
    });
    this.$(".tools").addEventListener("click", (event) => this.#act(event.target.closest("button")?.dataset.act));
    this.$(".preset").addEventListener("change", (event) => this.#preset(event.target.value));
    this.$(".opacity").addEventListener("input", (event) => { this.stage.mapOpacity = Number(event.target.value); this.stage.redraw(); });
    this.$(".keys").replaceChildren(element("dl", {}, ...KEYS.flatMap(([key, what]) => [element("dt", { text: key }), element("dd", { text: what })])));
    root.addEventListener("keydown", (event) => this.#key(event));
  }

  destroy() {
    this.stage.destroy();
    this.loading?.abort();
    clearTimeout(this.reporting);
    clearTimeout(this.prefetching);
  }

  // --- data in ------------------------------------------------------------------------------
  update(data) {
    const before = this.data;
    if (before && JSON.stringify(before) === JSON.stringify(data)) return;
    this.data = data;
    const isNewImage = data.image && data.image.sha256 !== before?.image?.sha256;
    const resultOf = (d) => d && `${d.result_id}`;
    if (!before || before.threshold_rev !== data.threshold_rev) this.threshold = data.threshold;
    if (isNewImage) this.#load(data.image);
    if (!data.image) this.#clear();
    if (resultOf(before) !== resultOf(data)) this.#newResult(data);
    else { this.panel.data = data; this.panel.filter(this.threshold); }
    this.#showStatus();
    this.#fillStrip();
    this.#showScale();
    this.root.dataset.state = data.status.state;
  }

  #newResult(data) {
    this.maps.clear();
    this.stage.map = null;
    const kept = data.detections.some((d) => d.n === data.selected) ? data.selected : null;
    this.selected = kept;
    this.panel.fill(data);
    this.setThreshold(this.threshold, true);
    this.panel.select(kept);
    this.stage.selected = kept;
    this.#prefetchMap(kept ?? data.detections.find((d) => d.probability >= this.threshold)?.n);
  }

  // Nothing is known of the image on show yet: never another image's pixels under its name.
  #clear() {
    this.loading?.abort();
    this.stage.source = null;
    this.root.dataset.ready = "0";
    for (const part of [".wl", ".at", ".zoom"]) this.$(part).textContent = "";
    this.stage.redraw();
  }

  async #load(image) {
    this.#clear();
    this.loading = new AbortController();
    const source = new PixelSource(image);
    this.root.dataset.ready = "0";
    try {
      await source.load(this.loading.signal);
    } catch (error) {
      if (error.name !== "AbortError") this.#veil(`The radiograph cannot be shown: ${error.message}. Your upload is safe; reload the page.`);
      return;
    }
    const kept = this.#recall(image.sha256);
    source.fullSpan = source.percentile(1) - source.percentile(0) || 1;
    if (kept?.window) source.setWindow(kept.window.lo, kept.window.hi, kept.window.invert);
    this.stage.show(source, kept?.view);
    if (kept?.window) this.$(".preset").value = kept.preset || "own";
    else this.#preset("1");
    this.#showWindow();
    this.#showZoom();
    this.root.dataset.ready = "1";
    this.#showStatus();
  }

  // Zoom and window of an image survive a reload of the page, in this browser tab only.
  #remember() {
    const { source, view } = this.stage;
    if (!source?.values) return;
    const kept = { view, window: source.window, preset: this.$(".preset").value };
    try { sessionStorage.setItem(`radikal.view.${source.image.sha256}`, JSON.stringify(kept)); } catch { /* storage is full or forbidden */ }
  }

  #recall(sha256) {
    try { return JSON.parse(sessionStorage.getItem(`radikal.view.${sha256}`)); } catch { return null; }
  }

  // --- status -------------------------------------------------------------------------------
  #veil(text) {
    const veil = this.$(".veil");
    veil.hidden = !text;
    veil.textContent = text || "";
  }

  #showStatus() {
    const { status, image } = this.data;
    if (status.message) this.#veil(status.message);
    else if (image && this.root.dataset.ready !== "1") this.#veil("Loading the pixels");
    else this.#veil("");
    this.$(".panel").classList.toggle("working", status.state === "working");
    this.panel.setLinks(status.state === "ready" ? this.data.links : null, this.threshold, this.selected);
  }

  #showScale() {
    const { image } = this.data;
    this.$(".scale").textContent = !image ? "" : image.mm_per_px ? `${image.mm_per_px.toPrecision(3)} mm/px (${image.pitch_source})` : "scale unknown";
  }

  #showWindow() {
    const { window: w, offset, slope } = this.stage.source;
    const number = (value) => (Math.abs(slope) < 1 ? value.toPrecision(4) : Math.round(value));
    this.$(".wl").textContent = `W ${number((w.hi - w.lo) * slope)} L ${number(offset + ((w.hi + w.lo) / 2) * slope)}`;
    this.$("[data-act=invert]").setAttribute("aria-pressed", String(w.invert));
  }

  #showZoom() { this.$(".zoom").textContent = `${Math.round(this.stage.view.zoom * (window.devicePixelRatio || 1) * 100)} %`; }

  #showValue(at) {
    const value = at && (Number.isInteger(at.value) ? at.value : at.value.toPrecision(5));
    this.$(".at").textContent = at ? `x ${at.x} y ${at.y} = ${value}` : "";
  }

  // --- threshold and selection --------------------------------------------------------------
  setThreshold(value, isQuiet = false) {
    this.threshold = Math.round(value * 100) / 100;
    if (!this.data) return;
    this.panel.filter(this.threshold);
    this.stage.boxes = this.data.detections.filter((d) => d.probability >= this.threshold);
    if (this.selected !== null && !this.stage.boxes.some((b) => b.n === this.selected)) this.select(null);
    this.stage.redraw();
    this.#showStatus();
    if (!isQuiet) this.#reportLater();
  }

  #reportLater() {
    clearTimeout(this.reporting);
    this.reporting = setTimeout(() => this.report("threshold", this.threshold), REPORT_AFTER_MS);
  }

  select(n, takeFocus = false) {
    if (n === this.selected && n !== null && !takeFocus) n = null;
    this.selected = n;
    this.stage.selected = n;
    this.panel.select(n, takeFocus);
    this.stage.map = null;
    this.#prefetchMap(n);
    this.#showMap();
    this.stage.redraw();
    this.#showStatus();
  }

  #centreSelected() {
    const detection = this.data.detections.find((d) => d.n === this.selected);
    if (detection && this.stage.source?.values) this.stage.centre(detection.box);
  }

  #step(by) {
    const shown = this.stage.boxes;
    if (!shown.length) return;
    const at = shown.findIndex((b) => b.n === this.selected);
    const next = at < 0 ? (by > 0 ? 0 : shown.length - 1) : (at + by + shown.length) % shown.length;
    if (shown[next].n !== this.selected) this.select(shown[next].n);
    this.#centreSelected();
  }

  // --- heat map -----------------------------------------------------------------------------
  #prefetchMap(n) {
    clearTimeout(this.prefetching);
    if (n === null || n === undefined || !this.data.links || this.maps.has(n)) return;
    this.prefetching = setTimeout(() => this.#fetchMap(n), this.isMapOn ? 0 : PREFETCH_AFTER_MS);
  }

  #fetchMap(n) {
    if (this.maps.has(n)) return;
    const maps = this.maps;
    maps.set(n, { isLoading: true });
    HeatMapPicture.fetch(`${this.data.links.map}&box=${n}`)
      .then((map) => maps.set(n, map), (error) => maps.set(n, { error: error.message }))
      .then(() => { if (maps === this.maps) this.#showMap(); });
  }

  #showMap() {
    this.root.classList.toggle("map-on", this.isMapOn);
    this.$("[data-act=map]").setAttribute("aria-pressed", String(this.isMapOn));
    const note = this.$(".map-note");
    this.stage.map = null;
    note.textContent = "";
    this.root.dataset.map = "off";
    if (this.isMapOn) {
      const map = this.maps.get(this.selected);
      if (this.selected === null) note.textContent = "select a box";
      else if (!map) this.#fetchMap(this.selected);
      if (this.selected !== null && (!map || map.isLoading)) note.textContent = `map of ${this.selected}: computing`;
      else if (map?.error) note.textContent = `no map of ${this.selected}: ${map.error}`;
      else if (map?.isEmpty) note.textContent = `map of ${this.selected} is empty: nothing raised its score there`;
      else if (map) {
        note.textContent = `map of ${this.selected}: what raised its score`;
        this.stage.map = map;
        this.root.dataset.map = String(this.selected);
      }
    }
    this.stage.redraw();
  }

  // --- tools and keys -----------------------------------------------------------------------
  #preset(number) {
    const { source } = this.stage;
    if (!source?.values) return;
    const ranges = { 1: [0.005, 0.995], 2: [0, 1], 3: [0.1, 0.9], 4: [0.005, 0.5], 5: [0.5, 0.995] };
    const [from, to] = ranges[number];
    source.setWindow(source.percentile(from), source.percentile(to), source.window.invert);
    this.$(".preset").value = number;
    this.#showWindow();
    this.#remember();
    this.stage.redraw();
  }

  #act(name) {
    const { stage } = this;
    if (name === "keys") this.$(".keys").hidden = !this.$(".keys").hidden;
    if (name === "map") { this.isMapOn = !this.isMapOn; this.#showMap(); }
    if (name === "contour") {
      stage.mapAsContours = !stage.mapAsContours;
      this.$("[data-act=contour]").setAttribute("aria-pressed", String(stage.mapAsContours));
      stage.redraw();
    }
    if (!stage.source?.values) return;
    const zoomTo = (zoom) => stage.zoomAt(zoom / stage.view.zoom);
    const actions = {
      invert: () => {
        const { lo, hi, invert } = stage.source.window;
        stage.source.setWindow(lo, hi, !invert);
        this.#showWindow();
        this.#remember();
        stage.redraw();
      },
      fit: () => stage.fit(), one: () => zoomTo(1 / (window.devicePixelRatio || 1)), in: () => stage.zoomAt(1.25), out: () => stage.zoomAt(0.8),
      right: () => stage.turn(1), left: () => stage.turn(-1), flip: () => stage.flip("flipH"), flipV: () => stage.flip("flipV"),
      reset: () => { stage.reset(); this.#preset("1"); }, next: () => this.#step(1), previous: () => this.#step(-1),
    };
    actions[name]?.();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isTyping = event.target.matches("select, input[type=range]");
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const acts = {
      i: "invert", "=": "fit", z: "one", "+": "in", "-": "out", r: "right", l: "left", h: "flip", v: "flipV", " ": "reset",
      g: "map", c: "contour", "?": "keys", n: "next", p: "previous",
    };
    if (key === "Escape") {
      if (!this.$(".keys").hidden) this.$(".keys").hidden = true;
      else this.select(null);
    } else if (isTyping || (key === " " && event.target.matches("button, summary, a"))) return;
    else if ("12345".includes(key)) this.#preset(key);
    else if (key === "ArrowRight" || key === "ArrowLeft") this.#stepImage(key === "ArrowRight" ? 1 : -1);
    else if (acts[key]) this.#act(acts[key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // --- batch strip --------------------------------------------------------------------------
  #fillStrip() {
    const { batch, current } = this.data;
    const strip = this.$(".strip");
    strip.hidden = batch.length < 2;
    const dots = { ready: "●", working: "◔", waiting: "○", failed: "✕" };
    strip.replaceChildren(...batch.map((item) => {
      const open = element("button", {
        type: "button", class: "open", "data-state": item.state, "data-key": item.key, "aria-current": String(item.key === current), title: item.title,
      });
      open.append(item.thumbnail_url ? element("img", { src: item.thumbnail_url, alt: "", loading: "lazy" }) : element("span", { class: "img" }));
      open.append(element("span", { class: "label", text: item.name }), element("span", { class: "dot", text: `${dots[item.state]} ${item.summary}` }));
      open.addEventListener("click", () => this.trigger("open", item.key));
      const remove = element("button", { type: "button", class: "remove", text: "×", "aria-label": `Take ${item.name} off the table`, title: "Take off the table" });
      remove.addEventListener("click", () => this.trigger("remove", item.key));
      return element("div", { class: "item" }, open, remove);
    }));
    strip.querySelector("[aria-current=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  #stepImage(by) {
    const { batch, current } = this.data;
    const at = batch.findIndex((item) => item.key === current);
    const next = batch[at + by];
    if (next) this.trigger("open", next.key);
  }
}
