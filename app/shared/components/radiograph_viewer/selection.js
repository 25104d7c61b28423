// Which indications are selected: one, whose details are on show, or several; list and picture say the same.
import { remember } from "./memory.js";
import { indicationLabel } from "./panel.js";

export class Selection {
  // viewer: the Viewer. The picks of its panel are what is selected together.
  constructor(viewer) {
    this.viewer = viewer;
    this.n = null; // the one that keys go on from
  }

  get picks() { return this.viewer.panel.picks; }

  // A second click on the same one deselects it.
  select(n, takeFocus = false, tab = "indications") {
    const isAgain = n === this.n && !takeFocus && this.picks.size < 2;
    this.#choose(isAgain ? null : n, takeFocus, tab);
  }

  // The focus stays where it is: keys work from everywhere.
  goTo(n) {
    this.#choose(n, false, "indications");
    this.centre();
  }

  // numbers: what is selected from now on; primary: the one that keys go on from.
  pick(numbers, primary = numbers.at(-1) ?? null) {
    if (numbers.length < 2) return this.select(numbers[0] ?? null, true);
    this.select(primary, true);
    this.picks.all(numbers);
    this.picks.anchor = primary;
    this.show();
  }

  // One more, or one less.
  toggle(n) {
    this.picks.toggle(n);
    this.pick(this.picks.list, this.picks.has(n) ? n : undefined);
  }

  // The next (by 1) or previous one of the list.
  step(by) {
    const listed = this.viewer.panel.listed();
    if (!listed.length) return;
    const at = listed.indexOf(this.n);
    const next = at < 0 ? (by > 0 ? 0 : listed.length - 1) : (at + by + listed.length) % listed.length;
    this.goTo(listed[next]);
  }

  // What is not listed any more is not selected either.
  keep(listed) {
    this.picks.keep((n) => listed.has(n));
    if (this.n !== null && !listed.has(this.n)) this.select(this.picks.list.at(-1) ?? null);
    else this.show();
  }

  show() {
    const { viewer, picks } = this;
    viewer.stage.boxes.picked = new Set(picks.list);
    viewer.panel.select(this.n);
    viewer.bulk.show(viewer.data.detections.filter(({ n }) => picks.has(n)), viewer.reading.canChange, viewer.canGroup);
    viewer.stage.redraw();
  }

  clear() {
    const { viewer } = this;
    this.n = null;
    this.picks.one(null);
    Object.assign(viewer.stage.boxes, { selected: null, picked: new Set() });
    viewer.bulk.show([], false);
  }

  centre() {
    const detection = this.viewer.entry(this.n);
    if (detection && this.viewer.stage.picture) this.viewer.stage.viewport.centre(detection.box);
  }

  #choose(n, takeFocus, tab) {
    const { viewer } = this;
    this.clear();
    this.n = n;
    this.picks.one(n);
    viewer.stage.boxes.selected = n;
    if (n !== null && viewer.measures.selected) viewer.measures.select(null); // Delete removes what is selected
    if (!viewer.isUpdating) remember(`selected.${viewer.data.image?.sha256}`, n);
    if (n !== null) viewer.panel.openTab(tab);
    viewer.panel.select(n, takeFocus);
    const detection = viewer.entry(n);
    viewer.$(".said").textContent = detection ? indicationLabel(detection, viewer.radiograph.scale) : "";
    const mapped = detection?.isAdded ? null : n; // the model has no map of a box that a person added
    viewer.map.prefetch(mapped);
    viewer.map.show(mapped, detection?.box);
    viewer.stage.redraw();
    viewer.showStatus();
  }
}
