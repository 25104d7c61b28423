// What a tool drew on the radiograph: a window, a box, a polygon, a scale, a measure.
import { distanceOf } from "../radiograph/measures.js";
import { boxBetween } from "./geometry.js";

export class Drawn {
  constructor(viewer) { this.viewer = viewer; }

  take({ kind, a, b, points }) {
    const { viewer } = this;
    if (kind === "window") {
      viewer.radiograph.windowOfRegion(a, b);
      viewer.useTool("pan");
    } else if (kind === "polygon") {
      viewer.useTool("pan");
      viewer.labelling.drawn(points);
    } else if (kind === "box") this.#box(a, b);
    else if (kind === "scale") viewer.dialog.open(distanceOf({ a, b }), viewer.data.image?.n_together);
    else this.#measure(kind, a, b);
  }

  #box(a, b) {
    const { viewer } = this;
    const n = viewer.reading.add(boxBetween(a, b, viewer.stage.source));
    viewer.useTool("pan");
    if (n === null) return;
    viewer.select(n, true);
    if (!viewer.isLabelling) viewer.pickKind(); // a label is of the kind that was chosen last, a digit changes it
    else viewer.stage.canvas.focus();
  }

  #measure(kind, a, b) {
    const { viewer } = this;
    const measure = viewer.measures.add(kind, a, b);
    viewer.panel.openTab("measure");
    const reading = viewer.radiograph.reading(measure);
    viewer.$(".said").textContent = [`${measure.id} ${reading.main}`, ...reading.rows.map(([name, text]) => `${name} ${text}`)].join(", ");
  }

  // The point of the crosshair: the first one begins, the second one ends.
  point() {
    const { stage } = this.viewer;
    const { drawing, isDrawing, tool, source } = stage;
    if (!isDrawing || !source?.isFull) return;
    if (tool === "polygon") return this.#corner();
    if (!drawing.cursor) return;
    if (!drawing.draft) drawing.begin(tool, drawing.cursor);
    else {
      const draft = drawing.finish();
      if (draft) this.take(draft);
    }
    stage.redraw();
  }

  // Enter sets a corner where the crosshair is, and closes the polygon elsewhere or at the same place again.
  #corner() {
    const { stage } = this.viewer;
    const { drawing, polygon } = stage;
    const count = polygon.points.length;
    if (drawing.cursor) stage.addCorner(drawing.cursor);
    if (!drawing.cursor || (polygon.isBegun && polygon.points.length === count)) stage.closePolygon();
  }
}
