// The zone that is judged: which calls of the model lie outside of it, and its tools on the image.
import { onButton } from "../element.js";
import { holds } from "../radiograph/zone_layer.js";

export class ZoneControl {
  // on: { report(event), changed(), done() }
  constructor(root, stage, on) {
    Object.assign(this, { stage, on, inspection: null, word: "weld", canChange: false });
    this.bar = root.querySelector(".zone-bar");
    onButton(this.bar, ({ zone }) => this.#act(zone));
  }

  get zone() { return this.stage.zone.zone; }

  // data: of the reading, null before there is one; image: { width, height }.
  update(data, image) {
    this.isUpright = Boolean(image) && image.height > image.width;
    this.inspection = data?.inspection_id ?? null;
    this.canChange = Boolean(data?.is_open && data.zone);
    this.word = data?.zone?.word ?? "weld";
    const kept = data?.zone;
    if (!this.stage.zone.held) this.stage.zone.show(kept?.points.length ? { points: kept.points, is_band: kept.is_band } : null);
    this.#showNote(kept?.source);
    this.#follow();
  }

  // Strips follow the weld, another one once it was changed.
  #follow() {
    const name = JSON.stringify(this.zone);
    if (name === this.followed || this.stage.zone.held) return;
    this.followed = name;
    this.stage.viewport.follow(this.band);
  }

  // The entries with the side of the zone that each lies on; without a zone with none.
  tagged(entries) {
    return this.zone ? entries.map((entry) => ({ ...entry, zone: holds(this.zone, entry.box) ? "inside" : "outside", zoneWord: this.word })) : entries;
  }

  // The band as a walk follows it, { breadth, middleAt(along) }; null where there is none.
  get band() {
    if (!this.zone?.is_band) return null;
    const { points } = this.zone;
    const turned = ([x, y]) => (this.isUpright ? [y, x] : [x, y]);
    const stations = points.slice(0, points.length / 2).map((point, i) => {
      const [[along, first], [, last]] = [turned(point), turned(points[points.length - 1 - i])];
      return { along, first, last };
    });
    const edgesAt = (at) => [between(stations, at, "first"), between(stations, at, "last")];
    return {
      breadth: Math.max(...stations.map(({ first, last }) => last - first)),
      middleAt: (at) => (between(stations, at, "first") + between(stations, at, "last")) / 2,
      // [first, last] px across the film that it takes between two places along it
      extentWithin: (from, to) => {
        const edges = [edgesAt(from), edgesAt(to), ...stations.filter(({ along }) => along > from && along < to).map(({ first, last }) => [first, last])];
        return [Math.min(...edges.map(([first]) => first)), Math.max(...edges.map(([, last]) => last))];
      },
    };
  }

  // The tool came into the hand, or was put down.
  edit(isEditing) {
    Object.assign(this.stage.zone, { isEditing, isRedrawing: isEditing && !this.zone });
    this.bar.hidden = !isEditing;
  }

  drawn(zone) { this.#report({ points: zone.points.map(([x, y]) => [Math.round(x * 10) / 10, Math.round(y * 10) / 10]), is_band: zone.is_band }); }

  #act(name) {
    if (name === "redraw") {
      this.stage.zone.isRedrawing = true;
      this.stage.redraw();
    } else if (name === "none") {
      this.stage.zone.show(null);
      this.#report({ points: [], is_band: false });
    } else if (name === "find") this.#report({ points: null });
    if (name !== "redraw") this.on.done();
  }

  #report(event) {
    this.#follow();
    this.on.report({ inspection_id: this.inspection, ...event });
    this.on.changed();
  }

  #showNote(source) {
    this.bar.querySelector(".zone-note").textContent =
      !this.zone ? `no ${this.word} zone: drag around it` : `${this.word} zone, ${source === "drawn" ? "drawn by a person" : "found on the picture"}: drag its edges`;
  }
}

// A side of the band between two stations, in proportion.
function between(stations, at, side) {
  const after = stations.findIndex(({ along }) => along >= at);
  if (after <= 0) return stations.at(after)[side];
  const [a, b] = [stations[after - 1], stations[after]];
  return a[side] + ((at - a.along) / (b.along - a.along || 1)) * (b[side] - a[side]);
}
