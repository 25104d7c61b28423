// A DOM node; attributes that are null, undefined or false are left out, `text` is its text.
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

// Calls `act` with the data of whichever button inside a node is clicked.
export function onButton(root, act) {
  root.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) act(button.dataset);
  });
}
