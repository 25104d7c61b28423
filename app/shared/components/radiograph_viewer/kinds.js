// Kinds as people state them: an ISO 6520-1 number, or the id of a kind that has none, such as "gas-hole".

export const isNumber = (code) => /^\d+$/.test(code ?? "");
export const kindOf = ({ kind, iso6520 }) => kind ?? iso6520 ?? null;

// What stating a kind changes about an indication; a severity level was that of the kind before.
export function stating(name, code) {
  return { class: name, iso6520: isNumber(code) ? code : null, kind: isNumber(code) || !code ? undefined : code, grade: undefined, own_class: undefined };
}

// "porosity 2011", "spatter 602", "gas hole", or the name of an own class. numbers: see `known_kinds`; they name what no
// class stands for.
export function kindWords({ class: name, kind, iso6520, own_class: ownCode, own_name: ownName }, numbers = []) {
  if (ownCode) return ownName ?? ownCode;
  if (kind) return kind.replaceAll("-", " ");
  if (!iso6520) return name;
  const own = name === "unclassified" && numbers.find(({ code }) => code === iso6520)?.name;
  return `${own || name} ${iso6520}`;
}

// The model's claim, as long as nobody states a kind or another class; else null.
export function claimOf({ claim, call, class: name, kind, iso6520, isAdded }) {
  const isRead = call && call !== "candidate"; // before, number and class are the model's own
  if (!claim || isAdded || kind || (isRead && iso6520) || name !== claim.class) return null;
  return call === "confirmed" && name !== "unclassified" ? null : claim;
}

// In the list and at the box, such as "linear: crack?"; confirmed without a class it is "linear, type not specified".
export function shownWords(entry, numbers = []) {
  const claim = claimOf(entry);
  if (!claim) return kindWords(entry, numbers);
  if (entry.call !== "confirmed") return claim.short;
  return claim.group === "unclassified" ? "type not specified" : `${claim.group}, type not specified`;
}

// What the model reports at a threshold: each group from its own share of it on.
export const isReported = ({ probability, claim }, threshold) => probability >= threshold * (claim?.operating_share ?? 1);

// An indication that a person judged or added stays in sight, whatever the threshold.
export function isAbove(entry, threshold) {
  return entry.isAdded || entry.call === "confirmed" || entry.call === "dismissed" || isReported(entry, threshold);
}

// The entry with the words that the box bears instead of its class, where the model claims a group.
export const withClaim = (entry) => (claimOf(entry) ? { ...entry, called: shownWords(entry) } : entry);

// In full, such as "linear: probably crack, perhaps lack of fusion".
export const fullWords = (entry) => (entry.call === "confirmed" ? null : claimOf(entry)?.words) ?? shownWords({ ...entry, iso6520: null });
