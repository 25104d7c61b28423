// Every key of the viewer: the overlay shows this table and the keyboard is read by it.
import { element } from "../element.js";

// keys: event.key (with Shift+ or Ctrl+ where held and meant) -> name of the action; none where it is done by mouse.
export const KEYS = [
  { group: "View", shows: "wheel, + −", does: "zoom at the cursor, in, out", keys: { "+": "in", "-": "out", "−": "out" } },
  { group: "View", shows: "drag, Shift + arrows", does: "pan", keys: { "Shift+ArrowLeft": "panLeft", "Shift+ArrowRight": "panRight", "Shift+ArrowUp": "panUp", "Shift+ArrowDown": "panDown" } },
  { group: "View", shows: "PgDn, PgUp", does: "walk along the film at 1:1, one screen on, back", keys: { PageDown: "walkOn", PageUp: "walkBack" } },
  { group: "View", shows: "= or double click", does: "fit; once more: strips of a long film, or all of it in one piece", keys: { "=": "fit" } },
  { group: "View", shows: "z", does: "one image pixel on one screen pixel", keys: { z: "one" } },
  { group: "View", shows: "r l", does: "rotate right, left", keys: { r: "right", l: "left" } },
  { group: "View", shows: "h v", does: "flip", keys: { h: "flip", v: "flipV" } },
  { group: "View", shows: "hold m", does: "magnifier", keys: { m: "loupe" } },
  { group: "View", shows: "space", does: "reset view, window and filter", keys: { " ": "reset" } },
  { group: "Grey values", shows: "right drag, Alt drag", does: "window and level", keys: {} },
  { group: "Grey values", shows: "1 – 5", does: "window presets", keys: { 1: "preset1", 2: "preset2", 3: "preset3", 4: "preset4", 5: "preset5" } },
  { group: "Grey values", shows: "w", does: "window from a region", keys: { w: "tool:window" } },
  { group: "Grey values", shows: "i", does: "invert", keys: { i: "invert" } },
  { group: "Grey values", shows: "f", does: "filter: none, CLAHE, high-pass", keys: { f: "filter" } },
  { group: "Grey values", shows: "t", does: "histogram", keys: { t: "histogram" } },
  { group: "Grey values", shows: "p", does: "polarity: film or digital; the image is read again", keys: { p: "polarity" } },
  { group: "Indications", shows: "↑ ↓, . ,", does: "previous, next indication of the list", keys: { ".": "next", ",": "previous" } },
  { group: "Indications", shows: "o", does: "boxes off and on (held: off while it is held)", keys: { o: "boxes" } },
  { group: "Indications", shows: "u", does: "show what is under the threshold", keys: { u: "below" } },
  { group: "Indications", shows: "g", does: "map of the selected box", keys: { g: "map" } },
  { group: "Indications", shows: "c", does: "map as contours, as colours", keys: { c: "contour" } },
  { group: "Indications", shows: "Shift + c", does: "next way of making the map", keys: { "Shift+c": "nextMethod" } },
  { group: "Indications", shows: "Shift + g", does: "without it: the probability once the selected box shows its own background", keys: { "Shift+g": "without" } },
  { group: "Reading", shows: "y", does: "confirm what is selected, go to the next one that is not assessed", keys: { y: "confirm" } },
  { group: "Reading", shows: "n", does: "dismiss what is selected, go to the next one that is not assessed", keys: { n: "dismiss" } },
  { group: "Reading", shows: "Delete", does: "dismiss what is selected; delete one that you added", keys: {} },
  { group: "Reading", shows: "q", does: "dismissed as: false call, non-relevant, artefact, geometry, marker or IQI (selected, or dismissed last)", keys: { q: "dismissal" } },
  { group: "Reading", shows: "e", does: "class and kind: type the ISO 6520-1 number or a name, Enter", keys: { e: "classify" } },
  { group: "Reading", shows: "b, Insert", does: "new indication: drag, or crosshair and Enter", keys: { b: "tool:box", Insert: "tool:box" } },
  { group: "Reading", shows: "Shift + . ,", does: "select the next, previous one as well", keys: { ">": "pickNext", "<": "pickPrevious", ":": "pickNext", ";": "pickPrevious" } },
  { group: "Reading", shows: "Shift, Ctrl + click", does: "select a range, one more", keys: {} },
  { group: "Reading", shows: "s, Shift + drag", does: "lasso on the radiograph: selects what it encloses", keys: { s: "tool:lasso" } },
  { group: "Reading", shows: "Ctrl + A", does: "select all that the list shows", keys: { "Ctrl+a": "pickAll" } },
  { group: "Reading", shows: "j", does: "group what is selected as clustered (2013) or linear porosity (2014); ungroup a group", keys: { j: "group" } },
  { group: "Reading", shows: "0", does: "zone that is judged (weld, part): drag its edges, redraw, none", keys: { 0: "tool:zone" } },
  { group: "Reading", shows: "Ctrl + Delete", does: "dismiss all that the model reports outside the zone", keys: { "Ctrl+Delete": "dismissApart" } },
  { group: "Reading", shows: "drag its edge, corner", does: "move, resize it", keys: {} },
  { group: "Reading", shows: "Ctrl + arrows", does: "move it by 1 px (with Shift: its size)", keys: {
    "Ctrl+ArrowLeft": "boxLeft", "Ctrl+ArrowRight": "boxRight", "Ctrl+ArrowUp": "boxUp", "Ctrl+ArrowDown": "boxDown",
    "Ctrl+Shift+ArrowLeft": "boxNarrower", "Ctrl+Shift+ArrowRight": "boxWider", "Ctrl+Shift+ArrowUp": "boxLower", "Ctrl+Shift+ArrowDown": "boxHigher" } },
  { group: "Reading", shows: "Ctrl + Z, Ctrl + Y", does: "undo, redo (measures while their tab is open)", keys: { "Ctrl+z": "undo", "Ctrl+y": "redo" } },
  { group: "Reading", shows: "Ctrl + Enter", does: "first look done: show the model (in the mode film first)", keys: { "Ctrl+Enter": "unveil" } },
  { group: "Labelling", shows: "1 – 7", does: "class of what is selected, else of the next box", keys: { 1: "class1", 2: "class2", 3: "class3", 4: "class4", 5: "class5", 6: "class6", 7: "class7" }, isLabelling: true },
  { group: "Labelling", shows: "8 9 0, Shift + 1 – 9", does: "own classes, as the panel lists them", keys: {
    8: "own1", 9: "own2", 0: "own3", ...Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`Shift+${i + 1}`, `own${i + 4}`])) }, isLabelling: true },
  { group: "Labelling", shows: "n", does: "new box: drag, or crosshair and Enter", keys: { n: "tool:box" }, isLabelling: true },
  { group: "Labelling", shows: "p", does: "new polygon: click its corners; Enter, a double click or the first corner closes it, Backspace takes one back", keys: { p: "tool:polygon" }, isLabelling: true },
  { group: "Labelling", shows: "drag inside", does: "move a label, or all that is selected", keys: {}, isLabelling: true },
  { group: "Labelling", shows: "drag a corner, a side", does: "resize it; a side of a polygon becomes a corner, a double click takes a corner away", keys: {}, isLabelling: true },
  { group: "Labelling", shows: "drag the round handle, g, Shift + g", does: "turn it; by 1° right, left", keys: { g: "turnRight", "Shift+g": "turnLeft" }, isLabelling: true },
  { group: "Labelling", shows: "y", does: "accept what is selected, go to the next suggestion", keys: {}, isLabelling: true },
  { group: "Labelling", shows: "a", does: "accept every suggestion on show; the button says which", keys: { a: "acceptAll" }, isLabelling: true },
  { group: "Labelling", shows: "Delete", does: "refuse suggestions, delete labels", keys: {}, isLabelling: true },
  { group: "Labelling", shows: "Shift, Ctrl + click", does: "select one more (in the list: Shift a range)", keys: {}, isLabelling: true },
  { group: "Labelling", shows: "q, Shift + drag", does: "lasso on the radiograph: selects what it encloses", keys: { q: "tool:lasso" }, isLabelling: true },
  { group: "Labelling", shows: "Ctrl + A", does: "select all that the list shows", keys: {}, isLabelling: true },
  { group: "Labelling", shows: "Ctrl + D", does: "duplicate what is selected", keys: { "Ctrl+d": "duplicate" }, isLabelling: true },
  { group: "Labelling", shows: "c", does: "copy the labels of the image before", keys: { c: "copyPrevious" }, isLabelling: true },
  { group: "Labelling", shows: "Ctrl + Enter", does: "labels are complete, next image", keys: { "Ctrl+Enter": "submit" }, isLabelling: true },
  { group: "Labelling", shows: "s", does: "skip this image", keys: { s: "skip" }, isLabelling: true },
  { group: "Measure", shows: "d", does: "length", keys: { d: "tool:length" } },
  { group: "Measure", shows: "a", does: "region: mean, sd, SNR, CNR", keys: { a: "tool:region" } },
  { group: "Measure", shows: "x", does: "line profile", keys: { x: "tool:profile" } },
  { group: "Measure", shows: "k", does: "scale from a known length", keys: { k: "tool:scale" } },
  { group: "Measure", shows: "Shift + k", does: "scale: type the pixel pitch (50 µm, 600 dpi, 0.05 mm)", keys: { "Shift+k": "pitch" } },
  { group: "Measure", shows: "arrows, Enter", does: "while a tool is on: crosshair (Shift: 10 px), set a point", keys: { ArrowUp: "cursorUp", ArrowDown: "cursorDown", Enter: "point" } },
  { group: "Measure", shows: "Shift + drag", does: "straight line, while a tool is on", keys: {} },
  { group: "Measure", shows: "Delete", does: "delete the selected measure", keys: { Delete: "delete", Backspace: "delete" } },
  { group: "Page", shows: "← →", does: "previous, next image (zoomed in on a long film: along it)", keys: { ArrowLeft: "imagePrevious", ArrowRight: "imageNext" } },
  { group: "Page", shows: "Shift + PgUp, PgDn", does: "previous, next image, always", keys: { "Shift+PageUp": "stepPrevious", "Shift+PageDown": "stepNext" } },
  { group: "Page", shows: "Esc", does: "close, put the tool down, deselect", keys: { Escape: "escape" } },
  { group: "Page", shows: "?", does: "this list", keys: { "?": "keys" } },
];
const ACTIONS = Object.assign({}, ...KEYS.filter((key) => !key.isLabelling).map(({ keys }) => keys));
// Where labels are made, digits mean classes: they win over the meaning of a key elsewhere.
const LABELLING_ACTIONS = Object.assign({}, ACTIONS, ...KEYS.filter((key) => key.isLabelling).map(({ keys }) => keys));

// The action that a key event asks for, undefined when none.
export function actionOf(event, isLabelling) {
  const actions = isLabelling ? LABELLING_ACTIONS : ACTIONS;
  if (event.altKey) return undefined;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if ((event.ctrlKey || event.metaKey) && event.shiftKey) return actions[`Ctrl+Shift+${key}`];
  if (event.ctrlKey || event.metaKey) return actions[`Ctrl+${key}`];
  if (event.shiftKey && (["k", "g", "c"].includes(key) || key.startsWith("Arrow") || key.startsWith("Page"))) return actions[`Shift+${key}`];
  const digit = event.shiftKey && !/^\d$/.test(key) && /^Digit(\d)$/.exec(event.code)?.[1]; // "!" or whatever stands there
  return actions[`Shift+${digit}`] ?? actions[key];
}

// The table as HTML, by groups.
export function keyList(isLabelling) {
  const listed = KEYS.filter((key) => (isLabelling ? isForLabelling(key) : !key.isLabelling));
  const groups = [...new Set(listed.map(({ group }) => group))];
  return groups.map((name) => element("section", {}, element("h3", { text: name }), element("dl", {},
    ...listed.filter(({ group }) => group === name).flatMap(({ shows, does }) => [element("dt", { text: shows }), element("dd", { text: does })]))));
}

// What labels have not, or have in other words.
const ONLY_READING = ["y", "n", "Delete", "q", "Shift, Ctrl + click", "s, Shift + drag", "Ctrl + A", "j", "0", "Ctrl + Delete", "drag its edge, corner"];

// Left out are keys that mean a class, that are listed for labels once more, or that show a map, which a label has not.
function isForLabelling({ isLabelling, group, shows, keys }) {
  if (isLabelling) return true;
  const isListed = group === "Reading" && ONLY_READING.includes(shows);
  return !isListed && Object.entries(keys).every(([key, action]) => LABELLING_ACTIONS[key] === action && !["map", "contour", "without", "nextMethod"].includes(action));
}
