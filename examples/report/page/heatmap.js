// Figures of kind "heatmap": a table of coloured cells with their values; cells whose runs diverged are hatched.

const ROW_HEIGHT = 52;

/** Black or white, whichever is read better on a colour. */
function inkOn(colour) {
  const {r, g, b} = d3.rgb(colour);
  return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#111" : "#fff";
}

function cellText(cell) {
  if (!cell) return "";
  if (cell.runs > 0 && cell.diverged === cell.runs) return "diverged";
  return shown(toNumber(cell.value));
}

function cellTooltip(spec, cell, row, column) {
  const lines = [`<b>${escapeHtml(spec.y.name)}=${escapeHtml(row)}, ${escapeHtml(spec.x.name)}=${escapeHtml(column)}</b>`];
  if (!cell) return `${lines[0]}<br>not run`;
  if (Number.isFinite(toNumber(cell.value)))
    lines.push(`${escapeHtml(spec.measure)} ${shown(toNumber(cell.value))}${cell.deviation === null || cell.deviation === undefined ? "" : ` ± ${shown(toNumber(cell.deviation))}`}`);
  lines.push(cell.diverged ? `${cell.diverged} of ${cell.runs} runs diverged` : `${cell.runs} run${cell.runs === 1 ? "" : "s"}`);
  return lines.join("<br>");
}

function addHatch(svg, id) {
  const pattern = svg.append("defs").append("pattern").attr("id", id).attr("width", 8).attr("height", 8)
    .attr("patternUnits", "userSpaceOnUse").attr("patternTransform", "rotate(45)");
  pattern.append("line").attr("class", "hatch").attr("x1", 0).attr("x2", 0).attr("y2", 8);
}

/** The colours and what they stand for, under the cells. */
function drawColourBar(root, spec, colour, extent, y, width) {
  const length = Math.min(220, width), steps = 44;
  const bar = root.append("g").attr("class", "colour-bar").attr("transform", `translate(0,${y})`);
  for (let i = 0; i < steps; ++i)
    bar.append("rect").attr("x", i * length / steps).attr("width", length / steps + 0.5).attr("height", 9)
      .attr("fill", colour(extent[0] + (extent[1] - extent[0]) * (i + 0.5) / steps));
  bar.append("text").attr("y", 23).text(shown(extent[0]));
  bar.append("text").attr("x", length).attr("y", 23).attr("text-anchor", "end").text(shown(extent[1]));
  bar.append("text").attr("y", 42).text(
    `${spec.larger_is_better ? "Larger" : "Smaller"} is better; the best${spec.extent ? " of all" : ""} is framed.`);
}

function makeHeatmap(host, spec) {
  const frame = makeFrame(host, spec);
  frame.addSaving();
  const rows = spec.y.values, columns = spec.x.values;
  const cells = spec.cells.map((cell, i) => ({cell, row: Math.floor(i / columns.length), column: i % columns.length}));
  frame.rows = () => [[spec.y.name, spec.x.name, spec.measure, "deviation", "diverged", "runs"],
    ...cells.filter(({cell}) => cell).map(({cell, row, column}) =>
      [rows[row], columns[column], toNumber(cell.value), toNumber(cell.deviation), cell.diverged || 0, cell.runs === undefined ? 1 : cell.runs])];
  const values = cells.map(({cell}) => (cell ? toNumber(cell.value) : NaN)).filter(Number.isFinite);
  const extent = spec.extent ? spec.extent.map(toNumber) : values.length > 0 ? d3.extent(values) : [0, 1];
  const ends = spec.larger_is_better ? [0, 1] : [1, 0];
  const part = d3.scaleLinear().domain(extent[0] === extent[1] ? [extent[0] - 1, extent[1]] : extent).range(ends);
  const colour = (value) => d3.interpolateCividis(part(value));
  const best = spec.larger_is_better ? extent[1] : extent[0];
  const hatch = `hatch-${makeHeatmap.count = (makeHeatmap.count || 0) + 1}`;

  function draw() {
    const left = d3.max([20, ...rows.map(textWidth)]) + 14, top = 34;
    const width = Math.min(frame.width(), left + columns.length * 150), cellWidth = (width - left) / columns.length;
    const height = top + rows.length * ROW_HEIGHT + 98;
    frame.svg.attr("width", width).attr("height", height).attr("aria-label",
      `${spec.title || ""}: ` + cells.map(({cell, row, column}) => `${rows[row]}, ${columns[column]}: ${cellText(cell) || "not run"}`).join("; "));
    frame.svg.selectAll("*").remove();
    addHatch(frame.svg, hatch);
    const root = frame.svg.append("g").attr("class", "root").attr("transform", `translate(${left},${top})`);
    root.selectAll(".column").data(columns).enter().append("text").attr("text-anchor", "middle").attr("class", "name")
      .attr("x", (text, i) => (i + 0.5) * cellWidth).attr("y", rows.length * ROW_HEIGHT + 18).text(String);
    root.selectAll(".row").data(rows).enter().append("text").attr("text-anchor", "end").attr("class", "name")
      .attr("x", -9).attr("y", (text, i) => (i + 0.5) * ROW_HEIGHT + 4).text(String);
    root.append("text").attr("class", "axis-label").attr("x", -left).attr("y", -12).text(spec.y.name);
    root.append("text").attr("class", "axis-label").attr("x", width - left).attr("y", rows.length * ROW_HEIGHT + 36).attr("text-anchor", "end").text(spec.x.name);
    const groups = root.selectAll(".place").data(cells).enter().append("g").attr("class", "place")
      .attr("transform", ({row, column}) => `translate(${column * cellWidth},${row * ROW_HEIGHT})`);
    groups.each(function drawCell({cell}) { drawOne(d3.select(this), cell, cellWidth); });
    groups.on("pointerenter", ({cell, row, column}) =>
      frame.tell(cellTooltip(spec, cell, rows[row], columns[column]), left + (column + 0.6) * cellWidth, top + (row + 0.5) * ROW_HEIGHT))
      .on("pointerleave", () => frame.hush());
    drawColourBar(root, spec, colour, extent, rows.length * ROW_HEIGHT + 50, width - left);
  }

  function drawOne(place, cell, cellWidth) {
    const value = cell ? toNumber(cell.value) : NaN, isDiverged = cell && cell.diverged > 0;
    const rect = (kind) => place.append("rect").attr("class", kind).attr("width", cellWidth).attr("height", ROW_HEIGHT);
    const ground = rect(!cell ? "cell empty" : Number.isFinite(value) ? "cell" : "cell hatched");
    if (Number.isFinite(value)) ground.attr("fill", colour(value));
    if (cell && cell.diverged && !Number.isFinite(value)) rect("over").attr("fill", `url(#${hatch})`);
    if (value === best) place.append("rect").attr("class", "best").attr("x", 3).attr("y", 3).attr("width", cellWidth - 6).attr("height", ROW_HEIGHT - 6)
      .style("stroke", inkOn(colour(value)));
    const text = (content, y) => place.append("text").attr("x", cellWidth / 2).attr("y", y).attr("text-anchor", "middle").text(content);
    const hasSecond = isDiverged && Number.isFinite(value);
    const label = text(cellText(cell), ROW_HEIGHT / 2 + (hasSecond ? -2 : 5)).style("font-size", "13px");
    if (Number.isFinite(value)) label.style("fill", inkOn(colour(value)));
    else label.attr("class", "diverged");
    if (hasSecond) text(`${cell.diverged}/${cell.runs} diverged`, ROW_HEIGHT / 2 + 15).style("fill", inkOn(colour(value))).style("font-size", "11px");
  }
  return {draw};
}
