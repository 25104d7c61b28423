// Steps of undo and redo in the memory of this browser tab, so that a reload keeps them: of the images that were worked
// on last, the newest steps as far as there is room.
import { forget, recall, remember } from "./memory.js";

const MOST_PLACES = 3;
const MOST_CHARACTERS = 600_000; // for each place; drafts need room, too

const ORDER = "steps.order";

// place: names the person and the image; at: a text of the content that the steps lead from.
export function keepSteps(place, at, past, future) {
  const order = [place, ...(recall(ORDER) ?? []).filter((other) => other !== place)];
  for (const old of order.splice(MOST_PLACES)) forget(`steps.${old}`);
  remember(ORDER, order);
  let room = MOST_CHARACTERS;
  const newest = (steps) => steps.toReversed().filter((step) => (room -= JSON.stringify(step).length) > 0).toReversed();
  remember(`steps.${place}`, { at, past: newest(past), future: newest(future) });
}

// { past, future } where the content is the one that they lead from, else none.
export function keptSteps(place, at) {
  const kept = recall(`steps.${place}`);
  return kept?.at === at ? { past: kept.past, future: kept.future } : { past: [], future: [] };
}
