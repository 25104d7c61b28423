// Fields for notes. What is typed belongs to the thing that was on show while it was typed, never to the next one.

// Shows the note of the thing that `key` names; while somebody types, only another thing replaces what they typed.
function showNote(field, key, text) {
  const isTyping = field.getRootNode().activeElement === field;
  if (!isTyping || field.dataset.of !== String(key)) field.value = text ?? "";
  field.dataset.of = key;
}

// Hands on what was typed about the box of a number and not taken yet.
function takeNote(field, on) {
  if (!field.hidden && field.dataset.n) on.note(Number(field.dataset.n), field.value.trim());
}
