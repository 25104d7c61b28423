// Keys reach the viewer wherever the focus is on the page, but not in text fields and dialogs.
const TYPED_IN = "textarea, [contenteditable=''], [contenteditable=true], input:not([type=range], [type=checkbox], [type=radio], [type=button], [type=file])";
const DIALOGS = "[role=dialog], [role=alertdialog], dialog";
const OWN_KEYS = { // which keys a control of the page keeps for itself
  "input[type=range]": ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"],
  select: ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", " ", "Enter"],
  "select.level": ["0", "1", "2", "3", "4", "5", "6", "7", "8"],
  "button, summary, a, input, [role=button], [role=radio], [role=tab]": [" ", "Enter"],
  "[role=slider], [role=radiogroup] *, [role=tablist] *, [role=listbox] *, [role=menu] *": ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", " ", "Enter"],
};

// Calls down(event) and up(event); the result ends that.
export function listenToKeys(root, { down, up }) {
  const pressed = (event) => { if (root.isConnected && root.checkVisibility() && !event.defaultPrevented) down(event); };
  const released = (event) => { if (root.isConnected) up(event); };
  const { ownerDocument } = root;
  ownerDocument.addEventListener("keydown", pressed);
  ownerDocument.addEventListener("keyup", released);
  return () => {
    ownerDocument.removeEventListener("keydown", pressed);
    ownerDocument.removeEventListener("keyup", released);
  };
}

// The thing that has the focus, inside a shadow tree too.
const targetOf = (event) => event.composedPath()[0];
const isElement = (node) => node instanceof Element;

export function isTyping(event) {
  const target = targetOf(event);
  return event.isComposing || (isElement(target) && target.matches(TYPED_IN));
}

// A dialog that is open anywhere on the page has the keys; those of `mine`, an own overlay, have not.
export function isInDialog(event, mine) {
  const path = event.composedPath().filter(isElement);
  if (path.includes(mine)) return false;
  return path.some((node) => node.matches(DIALOGS)) || Boolean(targetOf(event).ownerDocument?.querySelector("[data-testid=stDialog], dialog[open]"));
}

export function isKeptByControl(event) {
  const target = targetOf(event);
  return isElement(target) && Object.entries(OWN_KEYS).some(([query, keys]) => target.matches(query) && keys.includes(event.key));
}
