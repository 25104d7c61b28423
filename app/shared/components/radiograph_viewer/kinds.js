// Kinds as people state them: an ISO 6520-1 number, or the id of a kind that has none, such as "gas-hole".

export const isNumber = (code) => /^\d+$/.test(code ?? "");
export const kindOf = ({ kind, iso6520 }) => kind ?? iso6520 ?? null;

// What stating a kind changes about an indication; a severity level was that of the kind before.
export function stating(name, code) {
  return { class: name, iso6520: isNumber(code) ? code : null, kind: isNumber(code) || !code ? undefined : code, grade: undefined };
}

// "porosity 2011", "spatter 602", "gas hole". numbers: see `known_kinds`; they name what no class stands for.
export function kindWords({ class: name, kind, iso6520 }, numbers = []) {
  if (kind) return kind.replaceAll("-", " ");
  if (!iso6520) return name;
  const own = name === "unclassified" && numbers.find(({ code }) => code === iso6520)?.name;
  return `${own || name} ${iso6520}`;
}
