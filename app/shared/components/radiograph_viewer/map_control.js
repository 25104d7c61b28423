// The map of the selected box: fetched once, shown on demand.
const PREFETCH_AFTER_MS = 120;

class MapControl {
  // on: { change(map|null), look({ opacity, asContours }) }
  constructor(root, on) {
    this.root = root;
    this.on = on;
    this.note = root.querySelector(".map-note");
    this.look = { opacity: 0.7, asContours: false };
    this.contour = root.querySelector(".contour");
    this.contour.addEventListener("click", () => this.toggleContours());
    root.querySelector(".opacity").addEventListener("input", (event) => this.#setLook({ opacity: Number(event.target.value) }));
    this.isOn = false;
    this.selected = null;
    this.reset(null);
  }

  reset(address) {
    clearTimeout(this.prefetching);
    this.address = address;
    this.maps = new Map();
  }

  toggle() {
    this.isOn = !this.isOn;
    this.show(this.selected);
  }

  toggleContours() { this.#setLook({ asContours: !this.look.asContours }); }

  #setLook(change) {
    this.look = { ...this.look, ...change };
    this.contour.setAttribute("aria-pressed", String(this.look.asContours));
    this.on.look(this.look);
  }

  prefetch(n) {
    clearTimeout(this.prefetching);
    if (n === null || n === undefined || !this.address || this.maps.has(n)) return;
    this.prefetching = setTimeout(() => this.#fetch(n), this.isOn ? 0 : PREFETCH_AFTER_MS);
  }

  destroy() { clearTimeout(this.prefetching); }

  #fetch(n) {
    if (this.maps.has(n) || !this.address) return;
    const { maps } = this;
    maps.set(n, { isLoading: true });
    HeatMapPicture.fetch(`${this.address}&box=${n}`)
      .then((map) => maps.set(n, map), (error) => maps.set(n, { error: error.message }))
      .then(() => { if (maps === this.maps) this.show(this.selected); });
  }

  show(selected) {
    this.selected = selected;
    this.root.querySelector(".map-look").hidden = !this.isOn;
    this.root.querySelector("[data-act=map]").setAttribute("aria-pressed", String(this.isOn));
    if (this.isOn && selected !== null) this.#fetch(selected);
    const map = this.isOn && selected !== null ? this.maps.get(selected) : null;
    const isShown = Boolean(map && !map.isLoading && !map.error && !map.isEmpty);
    this.note.textContent = this.isOn ? this.#words(selected, map) : "";
    this.root.dataset.map = isShown ? String(selected) : "off";
    this.on.change(isShown ? map : null);
  }

  #words(selected, map) {
    if (selected === null) return "map: select a box";
    if (!map) return "";
    if (map.isLoading) return `map of ${selected}: computing`;
    if (map.error) return `no map of ${selected}: ${map.error}`;
    return map.isEmpty ? `map of ${selected} is empty: nothing raised its score there` : `map of ${selected}: what raised its score`;
  }
}
