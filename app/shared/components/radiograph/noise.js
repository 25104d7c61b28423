// SNR and CNR of homogeneous regions: the same method, with the same figures, as `core.imaging.quality.noise`.
// Rows of 20 px, a mean and a standard deviation each; the medians are signal and noise (ISO 16371-1, ASTM E2446).
const GROUP_PX = 20;
const LEAST_GROUPS = 55;
const MEDIAN_CORRECTION = 1.0179;
const REFERENCE_SRB_UM = 88.6; // ISO 17636-2: SNRn = SNR * 88.6 / SRb
const ROUNDING_NOISE = Math.sqrt(1 / 12);

function medianOf(numbers) {
  const sorted = Float64Array.from(numbers).toSorted();
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// { level, noise, nGroups } of a region, null when no row of 20 px fits. isFloat: values were not whole numbers.
export function levelAndNoise(values, width, { x0, y0, x1, y1 }, { offset, slope, isFloat }) {
  const perRow = Math.floor((x1 - x0) / GROUP_PX);
  if (!perRow) return null;
  const [means, deviations] = [new Float64Array(perRow * (y1 - y0)), new Float64Array(perRow * (y1 - y0))];
  for (let y = y0, g = 0; y < y1; y += 1)
    for (let k = 0; k < perRow; k += 1, g += 1) {
      const start = y * width + x0 + k * GROUP_PX;
      let [sum, squares] = [0, 0];
      for (let i = start; i < start + GROUP_PX; i += 1) sum += values[i];
      const mean = sum / GROUP_PX;
      for (let i = start; i < start + GROUP_PX; i += 1) squares += (values[i] - mean) ** 2;
      means[g] = mean;
      deviations[g] = Math.sqrt(squares / (GROUP_PX - 1));
    }
  const noise = Math.abs(slope) * medianOf(deviations) * MEDIAN_CORRECTION;
  return { level: offset + slope * medianOf(means), noise: isFloat ? noise : Math.max(noise, ROUNDING_NOISE), nGroups: means.length };
}

// { snr, snrN, remarks }; snrN is null without the basic spatial resolution (µm). snr is null where it cannot be
// told, and then the remark says why. top: the highest value that the depth allows, null for float radiographs.
export function signalToNoise(found, { polarity, top, srbUm, isFloat }) {
  const refused = (why) => ({ snr: null, snrN: null, remarks: [why] });
  if (!found) return refused(`no row of ${GROUP_PX} px fits into the region`);
  if (polarity === "film" && top === null) return refused("a film with float pixels has no known density zero");
  const { level, noise, nGroups } = found;
  const signal = polarity === "digital" || top === null ? level : polarity === "film" ? top - level : Math.min(level, top - level);
  if (noise === 0) return refused("no noise in the region");
  const remarks = [
    polarity === "film" && `film taken as linear in density, zero at ${top}`,
    polarity === "unknown" && (top === null ? "polarity unknown: grey value 0 taken as dose 0" : "polarity unknown: the lower of both readings"),
    nGroups < LEAST_GROUPS && `${nGroups} rows of ${GROUP_PX} px, the standard asks for ${LEAST_GROUPS}`,
    !isFloat && noise <= ROUNDING_NOISE && "the noise is below one grey value: the SNR is at least this",
  ].filter(Boolean);
  const snr = Math.max(signal, 0) / noise;
  return { snr, snrN: srbUm ? (snr * REFERENCE_SRB_UM) / srbUm : null, remarks };
}

// Difference of the two levels / mean of the two noises (ISO 17636-2); null where either cannot be told.
export function contrastToNoise(found, other) {
  if (!found || !other || found.noise + other.noise === 0) return null;
  return Math.abs(found.level - other.level) / ((found.noise + other.noise) / 2);
}
