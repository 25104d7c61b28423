// Somebody was faster: both versions side by side, what differs set off. Returns whether it is newly on show.
function showVersions(box, conflict, words, nothing) {
  const isNew = conflict && box.hidden;
  box.hidden = !conflict;
  if (!conflict) return false;
  const { mine, stored, author, savedAt } = conflict;
  const [mineLines, storedLines] = [words(mine), words(stored)];
  const list = (lines, others) => element("ul", {}, ...(lines.length ? lines : [nothing]).map((text) => element("li", { class: others.includes(text) ? null : "differs", text })));
  box.replaceChildren(
    element("h3", { text: "This was changed elsewhere. Nothing of yours was saved over it." }),
    element("div", { class: "versions" },
      element("section", {}, element("h4", { text: "Yours, not saved" }), list(mineLines, storedLines), element("button", { type: "button", "data-take": "mine", text: "Save mine on top" })),
      element("section", {}, element("h4", { text: `Stored, by ${author || "somebody"}, ${clockTime(savedAt)}` }), list(storedLines, mineLines), element("button", { type: "button", "data-take": "stored", text: "Take the stored one" }))));
  if (isNew) box.querySelector("button").focus();
  return isNew;
}
