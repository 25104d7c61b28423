// The map of the selected box: fetched once, shown on demand.
import { HeatMaps } from "../radiograph/heat_map.js";
import { BeliefButton } from "./belief_button.js";
import { WithoutLine } from "./without_line.js";

const PREFETCH_AFTER_MS = 600; // whoever goes from one to the next by keys asks for none
const SMALL_PX = 48; // colours would cover a flaw whose box is no longer than this

export class MapControl {
  // on: { change(map|null), look({ opacity, asContours }) }
  constructor(root, on) {
    this.root = root;
    this.on = on;
    this.note = root.querySelector(".map-note");
    this.look = { opacity: 0.7, asContours: false };
    this.isChosen = false; // whether somebody chose colours or contours
    this.without = new WithoutLine(root);
    this.page = root.querySelector(".explain-page");
    this.belief = new BeliefButton(root.querySelector(".belief"));
    this.method = root.querySelector(".map-method");
    this.method.addEventListener("change", () => this.show(this.selected));
    this.contour = root.querySelector(".contour");
    this.contour.addEventListener("click", () => this.toggleContours());
    root.querySelector(".opacity").addEventListener("input", (event) => this.#setLook({ opacity: Number(event.target.value) }));
    this.isOn = false;
    this.selected = null;
    this.maps = new HeatMaps(() => this.show(this.selected));
    this.reset(null, null);
  }

  // links: of the answers on this image, null while there are none; maps: what was measured of the version's maps.
  reset(links, maps) {
    this.standing = maps ?? null;
    this.#order(maps?.order ?? []);
    this.links = links;
    this.without.trust = maps?.trust ?? "";
    clearTimeout(this.prefetching);
    this.address = links?.map ?? null;
    this.tests = links?.faithfulness ?? null;
    this.belief.forget();
    this.without.reset(links?.without ?? null, links?.similar ?? null);
    this.maps.clear();
  }

  // order: the ways of making maps, that of the first map first. Whoever chose another keeps it until the first one changes.
  #order(order) {
    const [first] = order;
    if (!first || first === this.first) return;
    this.first = first;
    for (const name of order) this.method.append(this.method.querySelector(`[value=${name}]`));
    this.method.value = first;
  }

  toggle() {
    this.isOn = !this.isOn;
    this.show(this.selected);
  }

  // Of a version that was measured: a way of making maps that did not pass is named so, on every map.
  #standingText() {
    const { passed } = this.standing ?? {};
    if (!passed) return "";
    if (!passed.length) return " · no method passes for this version";
    return passed.includes(this.method.value) ? "" : " · this method does not pass for this version";
  }

  toggleContours() {
    this.isChosen = true;
    this.#setLook({ asContours: !this.look.asContours });
  }

  #setLook(change) {
    this.look = { ...this.look, ...change };
    this.contour.setAttribute("aria-pressed", String(this.look.asContours));
    this.on.look(this.look);
  }

  // n: number of a box, null for none that has a map.
  prefetch(n) {
    clearTimeout(this.prefetching);
    if (n !== null) this.prefetching = setTimeout(() => this.#get(n), this.isOn ? 0 : PREFETCH_AFTER_MS);
  }

  destroy() { clearTimeout(this.prefetching); }

  nextMethod() {
    const { options, selectedIndex } = this.method;
    if (this.isOn) this.method.selectedIndex = (selectedIndex + 1) % options.length;
    this.show(this.selected);
  }

  #get(n) { return this.address ? this.maps.get(`${this.address}&box=${n}&method=${this.method.value}`) : null; }

  // box: of the selected one; a small one has its map as contours until somebody chooses otherwise.
  show(selected, box) {
    if (box && !this.isChosen) this.#setLook({ asContours: Math.max(box[2] - box[0], box[3] - box[1]) <= SMALL_PX });
    this.selected = selected;
    this.without.show(selected);
    this.page.hidden = selected === null || !this.links?.page;
    if (!this.page.hidden) this.page.href = `${this.links.page}&box=${selected}`;
    this.root.querySelector(".map-look").hidden = !this.isOn;
    this.root.querySelector("[data-act=map]").setAttribute("aria-pressed", String(this.isOn));
    const entry = this.isOn && selected !== null ? this.#get(selected) : null;
    this.note.textContent = selected === null ? "map: select a box" : (entry?.text(`map of ${selected}`) ?? "") + (entry?.map ? this.#standingText() : "");
    this.note.title = this.standing?.standing ?? "";
    this.root.dataset.map = entry?.map ? String(selected) : "off";
    this.belief.show(entry?.map && this.tests ? `${this.tests}&box=${selected}&method=${this.method.value}` : null);
    this.on.change(entry?.map ?? null);
  }
}
