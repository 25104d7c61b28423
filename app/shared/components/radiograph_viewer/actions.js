// The actions of keys and buttons, by their names in the key table.
const PAN_PX = 80;
const FEW = 1;
const MANY = 10;

export function actionsOf(viewer) {
  const { stage, radiograph, measures, root } = viewer;
  const { viewport } = stage;
  const whenShown = (act) => () => { if (stage.picture) act(); };
  const keys = root.querySelector(".keys");

  function toggleKeys() {
    keys.hidden = !keys.hidden;
    if (!keys.hidden) keys.focus();
    else stage.canvas.focus();
  }

  // While a tool is on, arrows move its crosshair; the steps are those of the screen.
  function moveCursor(dx, dy, by = FEW) {
    const { drawing } = stage;
    const centre = viewport.toImage(viewport.size[0] / 2, viewport.size[1] / 2);
    const from = drawing.cursor; // the crosshair begins in the middle
    const [stepX, stepY] = viewport.stepLike(dx, dy);
    const limit = (value, high) => Math.min(high, Math.max(0, value));
    drawing.cursor = from ? [limit(from[0] + by * stepX, stage.source.width), limit(from[1] + by * stepY, stage.source.height)] : centre.map(Math.floor);
    drawing.move(drawing.cursor);
    viewport.reveal(drawing.cursor);
    stage.redraw();
  }
  const hasCursor = () => stage.isDrawing || stage.tool === "magnify";
  const arrow = (dx, dy) => whenShown(() => { if (hasCursor()) moveCursor(dx, dy); });
  const shiftArrow = (dx, dy) => whenShown(() => (hasCursor() ? moveCursor(dx, dy, MANY) : viewport.panScreen(-dx * PAN_PX, -dy * PAN_PX)));

  // Along a long film that is zoomed in, else to the next image.
  function sideways(by) {
    if (hasCursor()) arrow(by, 0)();
    else if (viewer.film.isLong && !viewport.state.isFitted) viewer.film.walk(by);
    else viewer.strip.step(by);
  }

  const nudge = (dx, dy, isSize = false) => whenShown(() => stage.editor.nudge(dx, dy, isSize, stage.source));

  function escape() {
    if (!keys.hidden) toggleKeys();
    else if (stage.polygon.isBegun) stage.polygon.cancel();
    else if (stage.drawing.draft) stage.drawing.cancel();
    else if (stage.tool !== "pan") viewer.toggleTool("pan");
    else if (measures.selected) measures.select(null);
    else viewer.select(null);
    stage.redraw();
  }

  function setLoupe(isOn) {
    if (stage.isLoupeHeld === isOn) return;
    stage.isLoupeHeld = isOn;
    if (isOn && !stage.pointer && !stage.drawing.cursor) stage.pointer = viewport.size.map((side) => side / 2);
    stage.redraw();
  }

  const presets = Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`preset${n}`, whenShown(() => radiograph.preset(String(n)))]));
  return {
    ...presets,
    pitch: whenShown(() => viewer.typePitch()), unveil: () => viewer.unveil(),
    polarity: () => viewer.polarity.open(),
    // Tells for keys that a page or a form may want as well.
    isWanted: (name) => ({ point: stage.isDrawing, delete: measures.selected !== null || stage.polygon.isBegun || viewer.canChange, pickAll: viewer.reading.isThere }[name] ?? true),
    in: whenShown(() => viewport.zoomAt(1.25)), out: whenShown(() => viewport.zoomAt(0.8)), fit: whenShown(() => viewport.fitOrSwitch()),
    one: whenShown(() => viewport.showOneToOne()),
    right: whenShown(() => viewport.turn(1)), left: whenShown(() => viewport.turn(-1)),
    flip: whenShown(() => viewport.flip("flipH")), flipV: whenShown(() => viewport.flip("flipV")),
    panLeft: shiftArrow(-1, 0), panRight: shiftArrow(1, 0), panUp: shiftArrow(0, -1), panDown: shiftArrow(0, 1),
    reset: whenShown(() => radiograph.reset()), invert: whenShown(() => radiograph.invert()), filter: whenShown(() => radiograph.nextFilter()),
    loupe: whenShown(() => setLoupe(true)), loupeOff: () => setLoupe(false),
    histogram: () => viewer.panel.openTab("display"),
    next: () => viewer.selection.step(1), previous: () => viewer.selection.step(-1),
    pickNext: () => viewer.calls.extend(1), pickPrevious: () => viewer.calls.extend(-1),
    boxes: () => viewer.boxes.press(), boxesReleased: () => viewer.boxes.release(),
    below: () => {
      viewer.isBelowShown = !viewer.isBelowShown;
      viewer.toolbar.press("below", viewer.isBelowShown);
      viewer.setThreshold(viewer.threshold, true);
    },
    map: () => viewer.map.toggle(),
    contour: () => viewer.map.toggleContours(), without: () => viewer.map.without.ask(), nextMethod: () => viewer.map.nextMethod(),
    cursorUp: () => (hasCursor() ? arrow(0, -1)() : viewer.selection.step(-1)), cursorDown: () => (hasCursor() ? arrow(0, 1)() : viewer.selection.step(1)),
    imagePrevious: () => sideways(-1), imageNext: () => sideways(1),
    walkOn: whenShown(() => viewer.film.walk(1)), walkBack: whenShown(() => viewer.film.walk(-1)),
    stepPrevious: () => viewer.strip.step(-1), stepNext: () => viewer.strip.step(1),
    point: () => viewer.drawn.point(),
    delete: () => {
      if (stage.polygon.isBegun) stage.polygon.takeBack();
      else if (measures.selected) measures.remove(measures.selected);
      else viewer.calls.call("dismiss");
      stage.redraw();
    },
    dismissal: () => viewer.calls.nextDismissal(),
    confirm: () => viewer.calls.callAndGoOn("confirm"), dismiss: () => viewer.calls.callAndGoOn("dismiss"), classify: () => viewer.calls.call("classify"),
    dismissApart: () => viewer.dismissApart(), pickAll: () => viewer.calls.pickAll(), group: () => viewer.calls.askToGroup(),
    ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((digit) => [`class${digit}`, () => viewer.labelling?.classify(digit)])),
    ...Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`own${i + 1}`, () => viewer.labelling?.classifyOwn(i + 1)])),
    acceptAll: () => viewer.labelling?.acceptAll(), duplicate: whenShown(() => viewer.labelling?.duplicate()),
    copyPrevious: whenShown(() => viewer.labelling?.copyPrevious()),
    turnRight: whenShown(() => viewer.labelling?.turn(1)), turnLeft: whenShown(() => viewer.labelling?.turn(-1)),
    submit: () => viewer.readingPanel.submit?.(), skip: () => viewer.readingPanel.askToSkip?.(),
    boxLeft: nudge(-1, 0), boxRight: nudge(1, 0), boxUp: nudge(0, -1), boxDown: nudge(0, 1),
    boxNarrower: nudge(-1, 0, true), boxWider: nudge(1, 0, true), boxLower: nudge(0, -1, true), boxHigher: nudge(0, 1, true),
    undo: () => (viewer.isMeasuring || !viewer.reading.isThere ? measures.undo() : viewer.reading.undo()),
    redo: () => (viewer.isMeasuring || !viewer.reading.isThere ? measures.redo() : viewer.reading.redo()),
    escape, keys: toggleKeys,
  };
}
