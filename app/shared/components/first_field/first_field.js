// Puts the cursor into a field when it comes on show, unless somebody is typing elsewhere already.
const TRIES = 40; // animation frames; the field can come after this

export default function ({ data }) {
  let left = TRIES;
  const look = () => {
    const field = document.querySelector(`.st-key-${data.key} input`);
    const isTyping = document.activeElement?.matches("input, textarea, [contenteditable]");
    if (field && !isTyping) field.focus();
    else if (!isTyping && (left -= 1) > 0) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
