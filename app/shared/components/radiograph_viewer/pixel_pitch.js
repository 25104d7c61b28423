// A pixel pitch as people type it; the server reads the same (core/domain/scale.py).
const TYPED = /^\s*(\d+(?:[.,]\d+)?|[.,]\d+)\s*(µm|μm|um|mm|dpi)\s*$/i;
const [LEAST_MM, MOST_MM, MM_PER_INCH] = [1e-4, 10, 25.4];

// mm of one px, null when the text says none that a radiograph has.
export function typedPitchMm(text) {
  const found = TYPED.exec(text);
  if (!found) return null;
  const number = Number(found[1].replace(",", "."));
  const unit = found[2].toLowerCase();
  const mm = unit === "dpi" ? MM_PER_INCH / number : unit === "mm" ? number : number / 1000;
  return mm > LEAST_MM && mm < MOST_MM ? mm : null;
}
