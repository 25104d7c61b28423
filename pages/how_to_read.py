"""How to read this: what the numbers and pictures mean, and what they do not."""

import streamlit as st

from app.access import require_page

require_page("how-to-read")

READING, LIMITS = st.columns(2, gap="large")

with READING:
    st.markdown(
        """
### What you see
- An **indication** is what is seen on a radiograph. It is a **defect** only after an acceptance rule
  rejected it;
  nothing is accepted or rejected here.
- A **dashed box** is the model's. The number on it is its row in the table.
- **p** is a calibrated probability. *0.93* means: of boxes that the model reports like this, about 93 in
  100 were real,
    counted with an overlap (IoU) of at least 0.5 on parts named in the model's calibration. Point at a p
  to read which.
- The **raw score** of the network stands under *Details* only. It orders boxes; it is not a chance of
  anything.
- **Millimetres** are the longer side of the box. They appear only when the file states a scale, with
  where it came
    from. At the detector plane everything is enlarged by the magnification of the exposure. Without a
  scale: pixels.
- The **threshold** hides boxes below it. It starts at the model's operating point. It does not run the
  model again.

### The map of a box
- It shows where, in the network's own features, the score of *this one box* was raised
  (gradient times activation at the place in the pyramid that the box came from).
- It is **not** the outline of a flaw, not a second opinion, and not evidence that the box is right. A
  wrong box has a
  map too. Each map is scaled to its own maximum: two maps cannot be compared in strength.
- An empty map is shown as empty.
"""
    )

with LIMITS:
    st.markdown(
        """
### Limits
- p is not the chance that nothing was missed. **No boxes is not a clean bill of health.**
- The calibration holds for radiographs like those it was fitted on. A different source, film, material or
  thickness
  can make p too high or too low, and nothing here measures that yet.
- Film or digital: if the polarity is wrong, dark and bright change places and the result is worthless.
  PNG and TIFF do
  not say it, so check what the *Image* tab says was assumed.
- Models trained on public data may not be used for every purpose: the licence line is under the table.

### Keys
| key | does |
|---|---|
| wheel, `+` `-` | zoom at the pointer, in, out |
| drag | pan |
| `=`, double click | fit |
| `z` | one image pixel on one screen pixel |
| right drag, or Alt and drag | window (sideways) and level (up, down) |
| `1` to `5` | window: auto, full range, narrow, dark half, bright half |
| `i` · `h` `v` · `r` `l` | invert · flip · rotate |
| space | back to the first view |
| `g` · `c` | map of the selected box · as contours |
| `n` `p`, up and down in the table | next, previous indication |
| left, right | previous, next image |
| Esc · `?` | close or deselect · list of keys |
"""
    )
