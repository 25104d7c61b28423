// What is known about the image and about the model that answered.
function fillFacts(root, { image, model, calibration, status }, scale) {
  const facts = (list, pairs) => list.replaceChildren(...pairs.filter(([, value]) => value !== null && value !== undefined && value !== "")
    .flatMap(([name, value]) => [element("dt", { text: name }), element("dd", { text: value })]));
  facts(root.querySelector(".image-facts"), image ? [
    ["File", image.name], ["Size", `${image.width} × ${image.height} px`], ["Depth", `${image.bit_depth} bit, ${image.file_format}`],
    ["Polarity", image.polarity_text],
    ["Scale", scale ? `${scale.mmPerPx.toPrecision(3)} mm/px, ${scale.words}` : "unknown: sizes in px"],
    ...Object.entries(image.fields), ...image.notes.map((note) => ["Note", note]), ["SHA-256", image.sha256],
  ] : []);
  facts(root.querySelector(".model-facts"), model ? [
    ["Model", model.title], ["Weights", model.sha256], ["Calibration", `${calibration.method}, id ${calibration.id}`],
    ["Fitted on", calibration.fitted_on], ["Score cut", calibration.score_cut], ["Operating point", two(calibration.operating_probability)],
    ["Ran on", status.elapsed_ms ? `${model.device}, ${(status.elapsed_ms / 1000).toFixed(2)} s` : ""], ["Training data", model.data_notice],
  ] : []);
  root.querySelector(".notice").textContent = model?.data_notice || "";
  root.querySelector(".notice").title = model?.data_notice || "";
}
