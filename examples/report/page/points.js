// Figures of kind "points": a row each, with a dot and an interval, against zero.

const POINT_ROW = 26;

function makePoints(host, spec, context) {
  const frame = makeFrame(host, spec);
  frame.addSaving();
  frame.rows = () => [["row", spec.x.label || "value", "low", "high", "text"],
    ...spec.rows.map((row) => [row.name, toNumber(row.value), toNumber(row.low), toNumber(row.high), row.text || ""])];
  const groupOf = (row, i) => (row.group === undefined ? i : row.group);

  function draw() {
    const rows = spec.rows.map((row, i) => ({...row, group: groupOf(row, i), value: toNumber(row.value), low: toNumber(row.low), high: toNumber(row.high)}))
      .filter((row) => context.isShown(row.group));
    const width = frame.width(), longest = d3.max([0, ...rows.map((row) => textWidth(row.name))]);
    // Names stand beside their dots, or where there is no room above them.
    const isWide = longest < width * 0.5, left = isWide ? longest + 16 : 6, rowHeight = isWide ? POINT_ROW : POINT_ROW + 18;
    const inner = width - left - 20, height = rows.length * rowHeight;
    const reach = [].concat(0, ...rows.map((row) => [row.value, row.low, row.high])).filter(Number.isFinite);
    const x = d3.scaleLinear().domain(domainOf(reach, false, 0.06)).range([0, inner]);
    frame.svg.attr("width", width).attr("height", height + 64)
      .attr("aria-label", `${spec.title || ""} ${spec.x.label || ""}: ` + rows.map((row) => `${row.name}: ${shown(row.value)} ${row.text || ""}`).join("; "));
    frame.svg.selectAll("*").remove();
    const root = frame.svg.append("g").attr("class", "root").attr("transform", `translate(${left},10)`);
    const ticks = x.ticks(Math.max(3, inner / 90));
    root.append("g").attr("class", "grid").selectAll("line").data(ticks).enter().append("line").attr("x1", x).attr("x2", x).attr("y2", height);
    root.append("g").attr("class", "x axis").attr("transform", `translate(0,${height})`)
      .call(d3.axisBottom(x).tickValues(ticks).tickFormat(tickText).tickSizeOuter(0));
    root.append("line").attr("class", "zero").attr("x1", x(0)).attr("x2", x(0)).attr("y2", height);
    root.append("text").attr("class", "axis-label").attr("x", inner).attr("y", height + 40).attr("text-anchor", "end").text(spec.x.label || "");
    const groups = root.selectAll(".row").data(rows).enter().append("g").attr("class", "row")
      .attr("transform", (row, i) => `translate(0,${(i + 0.5) * rowHeight + (isWide ? 0 : 8)})`);
    groups.append("text").attr("class", "name").attr("x", isWide ? -12 : 0).attr("y", isWide ? 4 : -10)
      .attr("text-anchor", isWide ? "end" : "start").text((row) => row.name);
    groups.filter((row) => Number.isFinite(row.low)).append("path").attr("class", "interval").style("stroke", (row) => colourOf(row.group))
      .attr("d", (row) => `M${x(row.low)},-4V4M${x(row.low)},0H${x(row.high)}M${x(row.high)},-4V4`);
    groups.filter((row) => Number.isFinite(row.value)).append("circle").attr("r", 4.2).attr("cx", (row) => x(row.value)).style("fill", (row) => colourOf(row.group));
    groups.filter((row) => !Number.isFinite(row.value)).append("text").attr("x", x(0) + 8).attr("y", 4).text((row) => row.text || "–");
    groups.append("rect").attr("class", "surface").attr("width", inner).attr("y", -rowHeight / 2).attr("height", rowHeight)
      .on("pointerenter", (row, i) => frame.tell(`${escapeHtml(row.name)}<br><b>${shown(row.value)}</b>` +
        (Number.isFinite(row.low) ? ` (${shown(row.low)} to ${shown(row.high)})` : "") + (row.text ? `<br>${escapeHtml(row.text)}` : ""),
      left + x(Number.isFinite(row.value) ? row.value : 0), 10 + (i + 0.5) * rowHeight))
      .on("pointerleave", () => frame.hush());
  }
  return {draw};
}
