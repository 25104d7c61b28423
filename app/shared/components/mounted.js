// Makes the function that a component exports and Streamlit calls on every run of the page. Streamlit calls the cleanup
// that it returns at the end, but also when a run overtakes the one before it: then the place is still on the page.

// make(parentElement, data): an object with update(data), which is called when the data changed, and perhaps destroy().
// It gets setState(name, value) and trigger(name, value), which report to Python.
export function mounted(make) {
  const places = new WeakMap();
  return ({ data, parentElement, setStateValue, setTriggerValue }) => {
    if (!places.has(parentElement)) places.set(parentElement, { shown: make(parentElement, data), text: null });
    const place = places.get(parentElement);
    Object.assign(place.shown, { setState: setStateValue, trigger: setTriggerValue });
    const text = JSON.stringify(data);
    if (text !== place.text) {
      place.text = text;
      place.shown.update(data);
    }
    return () => {
      if (parentElement.isConnected) return;
      place.shown.destroy?.();
      places.delete(parentElement);
    };
  };
}
