// Every key of the viewer: the overlay shows this table and the keyboard is read by it.
// keys: event.key (with Shift+ or Ctrl+ where held and meant) -> what is done; none where it is done by mouse.
const KEYS = [
  { group: "View", shows: "wheel, + −", what: "zoom at the cursor, in, out", keys: { "+": "in", "-": "out", "−": "out" } },
  { group: "View", shows: "drag, Shift + arrows", what: "pan", keys: { "Shift+ArrowLeft": "panLeft", "Shift+ArrowRight": "panRight", "Shift+ArrowUp": "panUp", "Shift+ArrowDown": "panDown" } },
  { group: "View", shows: "= or double click", what: "fit", keys: { "=": "fit" } },
  { group: "View", shows: "z", what: "one image pixel on one screen pixel", keys: { z: "one" } },
  { group: "View", shows: "r l", what: "rotate right, left", keys: { r: "right", l: "left" } },
  { group: "View", shows: "h v", what: "flip", keys: { h: "flip", v: "flipV" } },
  { group: "View", shows: "hold m", what: "magnifier", keys: { m: "loupe" } },
  { group: "View", shows: "space", what: "reset view, window and filter", keys: { " ": "reset" } },
  { group: "Grey values", shows: "right drag, Alt drag", what: "window and level", keys: {} },
  { group: "Grey values", shows: "1 – 5", what: "window presets", keys: { 1: "preset1", 2: "preset2", 3: "preset3", 4: "preset4", 5: "preset5" } },
  { group: "Grey values", shows: "w", what: "window from a region", keys: { w: "tool:window" } },
  { group: "Grey values", shows: "i", what: "invert", keys: { i: "invert" } },
  { group: "Grey values", shows: "f", what: "filter: as recorded, CLAHE, high-pass", keys: { f: "filter" } },
  { group: "Grey values", shows: "t", what: "histogram", keys: { t: "histogram" } },
  { group: "Indications", shows: ". ,", what: "next, previous indication", keys: { ".": "next", ",": "previous" } },
  { group: "Indications", shows: "↑ ↓ in the table", what: "next, previous indication", keys: {} },
  { group: "Indications", shows: "b", what: "show what is below the threshold", keys: { b: "below" } },
  { group: "Indications", shows: "g", what: "map of the selected box", keys: { g: "map" } },
  { group: "Indications", shows: "c", what: "map as contours", keys: { c: "contour" } },
  { group: "Reading", shows: "y", what: "confirm the selected indication", keys: { y: "confirm" } },
  { group: "Reading", shows: "Delete", what: "dismiss it; delete one that you added", keys: {} },
  { group: "Reading", shows: "e", what: "its class and ISO 6520-1 number", keys: { e: "classify" } },
  { group: "Reading", shows: "n", what: "new indication: drag, or crosshair and Enter", keys: { n: "tool:box" } },
  { group: "Reading", shows: "drag its edge, corner", what: "move, resize it", keys: {} },
  { group: "Reading", shows: "Ctrl + arrows", what: "move it by 1 px (with Shift: its size)", keys: {
    "Ctrl+ArrowLeft": "boxLeft", "Ctrl+ArrowRight": "boxRight", "Ctrl+ArrowUp": "boxUp", "Ctrl+ArrowDown": "boxDown",
    "Ctrl+Shift+ArrowLeft": "boxNarrower", "Ctrl+Shift+ArrowRight": "boxWider", "Ctrl+Shift+ArrowUp": "boxLower", "Ctrl+Shift+ArrowDown": "boxHigher" } },
  { group: "Reading", shows: "Ctrl + Z, Ctrl + Y", what: "undo, redo (measures while their tab is open)", keys: { "Ctrl+z": "undo", "Ctrl+y": "redo" } },
  { group: "Labelling", shows: "1 – 7", what: "class of the selected box", keys: { 1: "class1", 2: "class2", 3: "class3", 4: "class4", 5: "class5", 6: "class6", 7: "class7" }, isLabelling: true },
  { group: "Labelling", shows: "y", what: "accept the suggestion, go to the next one", keys: {}, isLabelling: true },
  { group: "Labelling", shows: "a", what: "accept every suggestion on show", keys: { a: "acceptAll" }, isLabelling: true },
  { group: "Labelling", shows: "Delete", what: "refuse the suggestion, delete the label", keys: {}, isLabelling: true },
  { group: "Labelling", shows: "Ctrl + D", what: "duplicate the selected box", keys: { "Ctrl+d": "duplicate" }, isLabelling: true },
  { group: "Labelling", shows: "Ctrl + Enter", what: "labels are complete, next image", keys: { "Ctrl+Enter": "submit" }, isLabelling: true },
  { group: "Labelling", shows: "s", what: "skip this image", keys: { s: "skip" }, isLabelling: true },
  { group: "Measure", shows: "d", what: "length", keys: { d: "tool:length" } },
  { group: "Measure", shows: "a", what: "region: mean, sd, SNR, CNR", keys: { a: "tool:region" } },
  { group: "Measure", shows: "x", what: "line profile", keys: { x: "tool:profile" } },
  { group: "Measure", shows: "k", what: "scale from a known length", keys: { k: "tool:scale" } },
  { group: "Measure", shows: "arrows, Enter", what: "while a tool is on: crosshair (Shift: 10 px), set a point", keys: { ArrowUp: "cursorUp", ArrowDown: "cursorDown", Enter: "point" } },
  { group: "Measure", shows: "Shift + drag", what: "straight line", keys: {} },
  { group: "Measure", shows: "Delete", what: "delete the selected measure", keys: { Delete: "delete", Backspace: "delete" } },
  { group: "Page", shows: "← →", what: "previous, next image", keys: { ArrowLeft: "imagePrevious", ArrowRight: "imageNext" } },
  { group: "Page", shows: "Esc", what: "close, put the tool down, deselect", keys: { Escape: "escape" } },
  { group: "Page", shows: "?", what: "this list", keys: { "?": "keys" } },
];
const ACT_OF_KEY = Object.assign({}, ...KEYS.filter((key) => !key.isLabelling).map(({ keys }) => keys));
// Where labels are made, digits mean classes: they win over what a key means elsewhere.
const ACT_OF_LABELLING_KEY = Object.assign({}, ACT_OF_KEY, ...KEYS.filter((key) => key.isLabelling).map(({ keys }) => keys));

// What a key event asks for, undefined when nothing.
function actOf(event, isLabelling = false) {
  const acts = isLabelling ? ACT_OF_LABELLING_KEY : ACT_OF_KEY;
  if (event.altKey) return undefined;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if ((event.ctrlKey || event.metaKey) && event.shiftKey) return acts[`Ctrl+Shift+${key}`];
  if (event.ctrlKey || event.metaKey) return acts[`Ctrl+${key}`];
  if (event.shiftKey && key.startsWith("Arrow")) return acts[`Shift+${key}`];
  return acts[key];
}

function keyList(isLabelling = false) {
  const taken = new Set(KEYS.filter((key) => key.isLabelling).flatMap(({ keys }) => Object.keys(keys)));
  const isOther = ({ shows, group }) => group === "Reading" && ["y", "Delete"].includes(shows); // said anew for labels
  const isMap = ({ keys }) => Object.values(keys).some((name) => ["map", "contour"].includes(name)); // a label has none
  const listed = KEYS.filter((key) => (isLabelling ? key.isLabelling || !isMap(key) && !Object.keys(key.keys).some((name) => taken.has(name)) && !isOther(key) : !key.isLabelling));
  const groups = [...new Set(listed.map(({ group }) => group))];
  return groups.map((group) => element("section", {}, element("h3", { text: group }), element("dl", {},
    ...listed.filter((key) => key.group === group).flatMap(({ shows, what }) => [element("dt", { text: shows }), element("dd", { text: what })]))));
}
