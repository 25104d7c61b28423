// The memory of this browser tab, which outlasts a reload of the page.
const keyOf = (key) => `radikal.${key}`;

// null when nothing is remembered.
export function recall(key) {
  try { return JSON.parse(sessionStorage.getItem(keyOf(key))); } catch { return null; }
}

export function remember(key, value) {
  try { sessionStorage.setItem(keyOf(key), JSON.stringify(value)); } catch { /* storage is full or forbidden */ }
}

export function forget(key) {
  try { sessionStorage.removeItem(keyOf(key)); } catch { /* storage is forbidden */ }
}
