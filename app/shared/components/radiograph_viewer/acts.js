// What keys and buttons do, by the names of the key table.
const PAN_PX = 80;
const FEW = 1;
const MANY = 10;

function actsOf(bench) {
  const { stage, film, measures, root } = bench;
  const { viewport } = stage;
  const whenShown = (act) => () => { if (stage.picture) act(); };
  const keys = root.querySelector(".keys");

  function toggleKeys() {
    keys.hidden = !keys.hidden;
    if (!keys.hidden) keys.focus();
    else stage.canvas.focus();
  }

  // With a tool on, arrows move its crosshair; the steps are those of the screen.
  function moveCursor(dx, dy, by = FEW) {
    const { drawing } = stage;
    const centre = viewport.toImage(viewport.size[0] / 2, viewport.size[1] / 2);
    const from = drawing.cursor ?? centre;
    const [x0, y0] = viewport.toImage(0, 0);
    const [x1, y1] = viewport.toImage(dx, dy);
    const limit = (value, high) => Math.min(high, Math.max(0, value));
    const to = [from[0] + by * Math.sign(Math.round((x1 - x0) * 1e6)), from[1] + by * Math.sign(Math.round((y1 - y0) * 1e6))];
    drawing.cursor = drawing.cursor ? [limit(to[0], stage.source.width), limit(to[1], stage.source.height)] : centre.map(Math.floor);
    drawing.move(drawing.cursor);
    viewport.reveal(drawing.cursor);
    stage.redraw();
  }
  const hasCursor = () => stage.isDrawing || stage.tool === "magnify";
  const arrow = (dx, dy, otherwise) => whenShown(() => (hasCursor() ? moveCursor(dx, dy) : otherwise?.()));
  const shiftArrow = (dx, dy) => whenShown(() => (hasCursor() ? moveCursor(dx, dy, MANY) : viewport.panScreen(-dx * PAN_PX, -dy * PAN_PX)));

  const nudge = (dx, dy, isSize = false) => whenShown(() => stage.editor.nudge(dx, dy, isSize, stage.source));

  function escape() {
    if (!keys.hidden) toggleKeys();
    else if (stage.drawing.draft) stage.drawing.cancel();
    else if (stage.tool !== "pan") bench.toggleTool("pan");
    else if (measures.selected) measures.select(null);
    else bench.select(null);
    stage.redraw();
  }

  function setLoupe(isOn) {
    if (stage.isLoupeHeld === isOn) return;
    stage.isLoupeHeld = isOn;
    if (isOn && !stage.pointer && !stage.drawing.cursor) stage.pointer = viewport.size.map((side) => side / 2);
    stage.redraw();
  }

  const presets = Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`preset${n}`, whenShown(() => film.preset(String(n)))]));
  return {
    ...presets,
    // Keys that a page or a form may want as well.
    isWanted: (name) => (name === "point" ? stage.isDrawing : name !== "delete" || measures.selected !== null || bench.canChange),
    in: whenShown(() => viewport.zoomAt(1.25)), out: whenShown(() => viewport.zoomAt(0.8)), fit: whenShown(() => viewport.fit()),
    one: whenShown(() => viewport.zoomAt(1 / (window.devicePixelRatio || 1) / viewport.zoom)),
    right: whenShown(() => viewport.turn(1)), left: whenShown(() => viewport.turn(-1)),
    flip: whenShown(() => viewport.flip("flipH")), flipV: whenShown(() => viewport.flip("flipV")),
    panLeft: shiftArrow(-1, 0), panRight: shiftArrow(1, 0), panUp: shiftArrow(0, -1), panDown: shiftArrow(0, 1),
    reset: whenShown(() => film.reset()), invert: whenShown(() => film.invert()), filter: whenShown(() => film.nextFilter()),
    loupe: whenShown(() => setLoupe(true)), loupeOff: () => setLoupe(false),
    histogram: () => bench.panel.openTab("display"),
    next: () => bench.step(1), previous: () => bench.step(-1),
    below: () => {
      bench.isBelowShown = !bench.isBelowShown;
      bench.toolbar.press("below", bench.isBelowShown);
      bench.setThreshold(bench.threshold, true);
    },
    map: () => bench.map.toggle(),
    contour: () => bench.map.toggleContours(),
    cursorUp: arrow(0, -1), cursorDown: arrow(0, 1),
    imagePrevious: () => (hasCursor() ? arrow(-1, 0)() : bench.strip.step(-1)),
    imageNext: () => (hasCursor() ? arrow(1, 0)() : bench.strip.step(1)),
    point: () => bench.takePoint(),
    delete: () => (measures.selected ? measures.remove(measures.selected) : bench.call("dismiss")),
    confirm: () => bench.call("confirm"), classify: () => bench.call("classify"),
    ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((digit) => [`class${digit}`, () => bench.classifyBy(digit)])),
    acceptAll: () => bench.acceptAll(), duplicate: whenShown(() => bench.duplicate()),
    submit: () => bench.readingPanel.submit?.(), skip: () => bench.readingPanel.askToSkip?.(),
    boxLeft: nudge(-1, 0), boxRight: nudge(1, 0), boxUp: nudge(0, -1), boxDown: nudge(0, 1),
    boxNarrower: nudge(-1, 0, true), boxWider: nudge(1, 0, true), boxLower: nudge(0, -1, true), boxHigher: nudge(0, 1, true),
    undo: () => (bench.isMeasuring || !bench.reading.isThere ? measures.undo() : bench.reading.undo()),
    redo: () => (bench.isMeasuring || !bench.reading.isThere ? measures.redo() : bench.reading.redo()),
    escape, keys: toggleKeys,
  };
}
