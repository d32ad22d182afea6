// Figures of kind "density": many small cells without numbers in them, such as histograms over steps. What is empty is
// left out; colours are logarithmic where every value is positive.

/** Which of n labels of this size fit into `length` pixels: every how many-th. */
function labelStride(n, size, length) {
  return Math.max(1, Math.ceil(n * size / Math.max(1, length)));
}

/** {place(value) in [0, 1], low, high, isLog}: the ends are `extent`, else the smallest and largest finite value. */
function makeDensityScale(values, extent) {
  const finite = values.filter(Number.isFinite), [low, high] = extent || (finite.length > 0 ? d3.extent(finite) : [0, 1]);
  const isLog = low > 0 && high > low;
  const scale = (isLog ? d3.scaleLog() : d3.scaleLinear()).domain(low === high ? [low - 1, high + 1] : [low, high]).clamp(true);
  return {place: (value) => (value === Infinity ? 1 : value === -Infinity ? 0 : scale(value)), low, high, isLog};
}

function drawDensityBar(root, spec, scale, y, width) {
  const length = Math.min(220, width), steps = 44;
  const bar = root.append("g").attr("class", "colour-bar").attr("transform", `translate(0,${y})`);
  for (let i = 0; i < steps; ++i)
    bar.append("rect").attr("x", i * length / steps).attr("width", length / steps + 0.5).attr("height", 9).attr("fill", d3.interpolateViridis((i + 0.5) / steps));
  bar.append("text").attr("y", 23).text(shown(scale.low));
  bar.append("text").attr("x", length).attr("y", 23).attr("text-anchor", "end").text(shown(scale.high));
  bar.append("text").attr("y", 42).text(`${spec.measure}${scale.isLog ? ", logarithmic" : ""}`);
}

function makeDensity(host, spec) {
  const frame = makeFrame(host, spec);
  frame.addSaving();
  const rows = spec.y.values, columns = spec.x.values;
  const cells = spec.cells.map((value, i) => ({value: toNumber(value), row: Math.floor(i / columns.length), column: i % columns.length}))
    .filter(({value}) => !Number.isNaN(value));
  const scale = makeDensityScale(cells.map(({value}) => value), spec.extent);
  frame.rows = () => [[spec.y.label, spec.x.label, spec.measure], ...cells.map(({value, row, column}) => [rows[row], columns[column], value])];
  const byPlace = new Map(cells.map((cell) => [cell.row * columns.length + cell.column, cell]));

  function draw() {
    const size = spec.y.every ? 16 : Math.max(6, Math.min(15, 330 / rows.length)), height = size * rows.length;
    const left = d3.max([20, ...rows.map(textWidth)]) + 14, top = 34, width = Math.max(80, frame.width() - left), cell = width / columns.length;
    frame.svg.attr("width", left + width).attr("height", top + height + 98)
      .attr("aria-label", `${spec.title || ""}: ${spec.measure} by ${spec.x.label} and ${spec.y.label}, from ${shown(scale.low)} to ${shown(scale.high)}`);
    frame.svg.selectAll("*").remove();
    const root = frame.svg.append("g").attr("class", "root").attr("transform", `translate(${left},${top})`);
    root.append("rect").attr("class", "cell empty").attr("width", width).attr("height", height);
    root.selectAll(".spot").data(cells).enter().append("rect").attr("class", "spot").attr("x", ({column}) => column * cell)
      .attr("y", ({row}) => row * size).attr("width", cell + 0.3).attr("height", size + 0.3).attr("fill", ({value}) => d3.interpolateViridis(scale.place(value)));
    const across = labelStride(columns.length, d3.max(columns.map(textWidth)) + 12, width), down = labelStride(rows.length, 12, height);
    const middle = rows.indexOf("0"), offset = middle < 0 ? 0 : middle % down;
    root.selectAll(".column").data(columns.map((text, i) => ({text, i}))).enter().filter(({i}) => i % across === 0).append("text").attr("text-anchor", "middle")
      .attr("class", "name").attr("x", ({i}) => (i + 0.5) * cell).attr("y", height + 16).text(({text}) => text.replace(/-/g, "−"));
    root.selectAll(".row").data(rows.map((text, i) => ({text, i}))).enter().filter(({i}) => i % down === offset).append("text").attr("text-anchor", "end")
      .attr("class", "name").attr("x", -7).attr("y", ({i}) => (i + 0.5) * size + 4).text(({text}) => text.replace(/-/g, "−"));
    root.append("text").attr("class", "axis-label").attr("x", -left).attr("y", -12).text(spec.y.label);
    root.append("text").attr("class", "axis-label").attr("x", width).attr("y", height + 34).attr("text-anchor", "end").text(spec.x.label);
    drawDensityBar(root, spec, scale, height + 50, width);
    root.append("rect").attr("class", "surface").attr("width", width).attr("height", height).on("pointermove", function onMove() {
      const [x, y] = d3.mouse(this), column = Math.min(columns.length - 1, Math.floor(x / cell)), row = Math.min(rows.length - 1, Math.floor(y / size));
      const found = byPlace.get(row * columns.length + column);
      frame.tell(`<b>${escapeHtml(spec.y.label)} ${escapeHtml(rows[row])}, ${escapeHtml(spec.x.label)} ${escapeHtml(columns[column])}</b><br>` +
        (found ? `${escapeHtml(spec.measure)} ${shown(found.value)}` : "none"), left + (column + 1) * cell, top + (row + 0.5) * size);
    }).on("pointerleave", () => frame.hush());
  }
  return {draw};
}
