// What one browser tab remembers of each image: view, window, filter, measures and an entered scale.
const KEPT_SOURCES = 3;

function remembered(sha256) {
  try { return JSON.parse(sessionStorage.getItem(`radikal.view.${sha256}`)) ?? {}; } catch { return {}; }
}

function remember(sha256, kept) {
  try { sessionStorage.setItem(`radikal.view.${sha256}`, JSON.stringify(kept)); } catch { /* storage is full or forbidden */ }
}

// The number of the indication that was selected on an image, null when none was.
function rememberedSelection(sha256) {
  try { return JSON.parse(sessionStorage.getItem(`radikal.selected.${sha256}`)); } catch { return null; }
}

function rememberSelection(sha256, n) {
  try { sessionStorage.setItem(`radikal.selected.${sha256}`, JSON.stringify(n)); } catch { /* storage is full or forbidden */ }
}

// The last few radiographs with their pixels, so that going back is instant.
class RecentSources {
  constructor() { this.sources = new Map(); }

  get(image) {
    const known = this.sources.get(image.sha256);
    if (known) this.sources.delete(image.sha256);
    const source = known ?? new PixelSource(image);
    this.sources.set(image.sha256, source);
    for (const sha256 of [...this.sources.keys()].slice(0, -KEPT_SOURCES)) this.sources.delete(sha256);
    return source;
  }
}
