// Figures of kind "contours": values on an even grid of two coordinates as filled contours; paths and marks over them.

/** Colours of the bands between levels, best values brightest. */
function bandColour(spec, band) {
  const part = spec.levels.length > 0 ? band / spec.levels.length : 0.5;
  return d3.interpolateViridis(0.04 + 0.92 * (spec.larger_is_better ? part : 1 - part));
}

/** The values as contours take them: what is not finite is as far off as the worst or best that is. */
function contourValues(cells) {
  const [low, high] = d3.extent(cells.filter(Number.isFinite));
  return cells.map((value) => (Number.isFinite(value) ? value : value === -Infinity ? low : high));
}

/** From the coordinates of d3.contours, in which node i of the grid stands at i + 0.5, to pixels. */
function contourPath(spec, plot) {
  const place = (axis) => {
    const values = axis.values.map(toNumber), step = (values[values.length - 1] - values[0]) / (values.length - 1);
    return (position) => values[0] + Math.max(0, Math.min(values.length - 1, position - 0.5)) * step;
  };
  const x = place(spec.x), y = place(spec.y);
  return d3.geoPath(d3.geoTransform({point(px, py) { this.stream.point(plot.x(x(px)), plot.y(y(py))); }}));
}

/** The bands beside the grid, each with its lower level. */
function drawBands(root, spec, x, height) {
  const count = spec.levels.length + 1, size = height / count, stride = labelStride(spec.levels.length, 15, height);
  const bar = root.append("g").attr("class", "colour-bar").attr("transform", `translate(${x},0)`);
  for (let band = 0; band < count; ++band)
    bar.append("rect").attr("y", height - (band + 1) * size).attr("width", 12).attr("height", size + 0.4).attr("fill", bandColour(spec, band));
  spec.levels.forEach((level, i) => {
    if (i % stride === 0) bar.append("text").attr("x", 17).attr("y", height - (i + 1) * size + 4).text(tickText(+toNumber(level).toPrecision(3)));
  });
}

const MARK_SHAPES = {cross: "M-6,-6L6,6M-6,6L6,-6", ring: "M-5,0A5,5,0,1,0,5,0A5,5,0,1,0,-5,0Z",
                     star: "M0,-8L2,-2.6L7.6,-2.5L3.2,1L4.7,6.5L0,3.3L-4.7,6.5L-3.2,1L-7.6,-2.5L-2,-2.6Z"};

function drawMarks(layer, plot, marks) {
  for (const mark of marks) {
    const one = layer.append("g").attr("class", "landmark").attr("data-name", mark.name)
      .attr("transform", `translate(${plot.x(toNumber(mark.x))},${plot.y(toNumber(mark.y))})`);
    one.append("path").attr("class", mark.shape === "star" ? "filled" : "hollow").attr("d", MARK_SHAPES[mark.shape] || MARK_SHAPES.cross);
    one.append("text").attr("class", "name").attr("x", 10).attr("y", -8).text(mark.name);
  }
}

/** A path with a rim, so that it is seen on every colour; a point that has no place is a gap. */
function drawWalk(layer, plot, one) {
  const {series, points} = one, style = series.style || "line", shows = (p) => Number.isFinite(p.x) && Number.isFinite(p.y);
  const colour = style.includes("contrast") ? "var(--ink)" : colourOf(one.group);
  const walk = layer.append("g").attr("class", "walk").attr("data-name", series.name);
  const line = d3.line().defined(shows).x((p) => plot.x(p.x)).y((p) => plot.y(p.y));
  if (style !== "points") {
    walk.append("path").attr("class", "rim").datum(points).attr("d", line);
    walk.append("path").attr("class", "line").datum(points).style("stroke", colour).attr("d", line)
      .attr("stroke-dasharray", style.includes("thin") ? "5 4" : null);
  }
  if (style.includes("points"))
    walk.selectAll("circle").data(points.filter(shows)).enter().append("circle").attr("r", points.length > 60 ? 2.2 : 3.4)
      .attr("cx", (p) => plot.x(p.x)).attr("cy", (p) => plot.y(p.y)).style("fill", colour);
  if (series.end) drawEnd(walk, points.filter(shows), series.end, (p) => plot.x(p.x), (p) => plot.y(p.y), colour);
}

/** The point of a path within a few pixels, else the node of the grid that is nearest. */
function readPlace(frame, plot, spec, cells, visible, px, py) {
  if (px === null) return frame.hush();
  let best = null, least = 12;
  for (const one of visible)
    for (const point of one.points) {
      const away = Math.hypot(plot.x(point.x) - px, plot.y(point.y) - py);
      if (away < least) best = {one, point}, least = away;
    }
  if (best) {
    const {one, point} = best;
    return frame.tell(`<b>${escapeHtml(one.series.name)}</b>${point.note ? `<br>${escapeHtml(point.note)}` : ""}`, plot.area.left + px, plot.area.top + py);
  }
  const node = (axis, value) => {
    const values = axis.values.map(toNumber), step = (values[values.length - 1] - values[0]) / (values.length - 1);
    return Math.max(0, Math.min(values.length - 1, Math.round((value - values[0]) / step)));
  };
  const i = node(spec.x, plot.x.invert(px)), j = node(spec.y, plot.y.invert(py));
  frame.tell(`${escapeHtml(spec.measure)} <b>${shown(cells[j * spec.x.values.length + i])}</b><br>` +
    `at ${shown(toNumber(spec.x.values[i]))}, ${shown(toNumber(spec.y.values[j]))}`, plot.area.left + px, plot.area.top + py);
}

/** Pixels of the grid: as the units are where one is as long as the other, within reason. */
function contourArea(spec, width) {
  const span = (axis) => Math.abs(toNumber(axis.values[axis.values.length - 1]) - toNumber(axis.values[0]));
  const inner = Math.max(120, width - 58 - 66), wanted = spec.square ? inner * span(spec.y) / span(spec.x) : inner * 0.72;
  return {left: 58, top: 30, width: inner, height: Math.max(140, Math.min(620, wanted))};
}

function makeContours(host, spec, context) {
  const frame = makeFrame(host, spec), number = makeContours.count = (makeContours.count || 0) + 1;
  const plot = {svg: frame.svg, zoom: null, redraw: draw, read: () => {}};
  const reset = frame.button("reset", "show everything again (double click, or 0)", () => zoomTo(plot, null, null));
  frame.addSaving();
  addKeys(plot);
  const cells = spec.cells.map(toNumber), columns = spec.x.values.length;
  const shapes = d3.contours().size([columns, spec.y.values.length]).thresholds(spec.levels.map(toNumber))(contourValues(cells));
  const groupOf = (series, i) => (series.group === undefined ? i : series.group);
  const all = (spec.series || []).map((series, i) => ({series, group: groupOf(series, i), points: pointsOf(series, {})}));
  frame.rows = () => [[spec.x.label, spec.y.label, spec.measure],
    ...cells.map((value, i) => [toNumber(spec.x.values[i % columns]), toNumber(spec.y.values[Math.floor(i / columns)]), value])];

  function draw() {
    const area = plot.area = contourArea(spec, frame.width()), ends = (axis) => [toNumber(axis.values[0]), toNumber(axis.values[axis.values.length - 1])];
    plot.x = d3.scaleLinear().domain(plot.zoom ? plot.zoom.x : ends(spec.x)).range([0, area.width]);
    plot.y = d3.scaleLinear().domain(plot.zoom && plot.zoom.y ? plot.zoom.y : ends(spec.y)).range([area.height, 0]);
    reset.attr("hidden", plot.zoom ? null : "");
    const visible = all.filter((one) => context.isShown(one.group)), [low, high] = d3.extent(cells.filter(Number.isFinite));
    frame.svg.attr("width", area.left + area.width + 66).attr("height", area.top + area.height + 46).attr("aria-label",
      `${spec.title || ""}: ${spec.measure} from ${shown(low)} to ${shown(high)} by ${spec.x.label} and ${spec.y.label}, with ${visible.length} paths. ` +
      "Arrow keys read values, plus and minus zoom, 0 shows everything.").selectAll("*").remove();
    frame.svg.append("clipPath").attr("id", `contours-${number}`).append("rect").attr("width", area.width).attr("height", area.height);
    addHatch(frame.svg, `contours-hatch-${number}`);
    const root = frame.svg.append("g").attr("class", "root").attr("transform", `translate(${area.left},${area.top})`);
    const inside = root.append("g").attr("clip-path", `url(#contours-${number})`), path = contourPath(spec, plot);
    const corner = [[0, 0], [0, 1], [1, 1], [1, 0], [0, 0]].map(([i, j]) => [i * columns + 0.5 - i, j * spec.y.values.length + 0.5 - j]);
    inside.append("path").attr("d", path({type: "LineString", coordinates: corner})).attr("fill", bandColour(spec, 0));
    inside.selectAll(".contour").data(shapes).enter().append("path").attr("class", "contour").attr("d", path)
      .attr("fill", (shape, i) => bandColour(spec, i + 1)).attr("data-level", (shape) => shape.value);
    const half = (axis, scale) => Math.abs(scale(ends(axis)[1]) - scale(ends(axis)[0])) / (axis.values.length - 1);
    const w = half(spec.x, plot.x), h = half(spec.y, plot.y);
    inside.selectAll(".unmeasured").data(cells.map((value, i) => ({value, i})).filter(({value}) => !Number.isFinite(value))).enter()
      .append("rect").attr("class", "unmeasured").attr("width", w).attr("height", h).attr("fill", `url(#contours-hatch-${number})`)
      .attr("x", ({i}) => plot.x(toNumber(spec.x.values[i % columns])) - w / 2).attr("y", ({i}) => plot.y(toNumber(spec.y.values[Math.floor(i / columns)])) - h / 2);
    for (const one of visible) drawWalk(inside, plot, one);
    drawMarks(inside, plot, spec.marks || []);
    root.append("g").attr("class", "x axis").attr("transform", `translate(0,${area.height})`)
      .call(d3.axisBottom(plot.x).ticks(Math.max(3, area.width / 80)).tickFormat(tickText).tickSizeOuter(0));
    root.append("g").attr("class", "y axis").call(d3.axisLeft(plot.y).ticks(Math.max(3, area.height / 60)).tickFormat(tickText).tickSizeOuter(0));
    root.append("text").attr("class", "axis-label").attr("x", area.width).attr("y", area.height + 36).attr("text-anchor", "end").text(spec.x.label);
    root.append("text").attr("class", "axis-label").attr("x", -area.left).attr("y", -12).text(spec.y.label);
    root.append("text").attr("class", "axis-label").attr("x", area.width + 66).attr("y", -12).attr("text-anchor", "end").text(spec.measure);
    drawBands(root, spec, area.width + 14, area.height);
    plot.read = (px, py) => readPlace(frame, plot, spec, cells, visible, px, py === undefined ? area.height / 2 : py);
    addHands(plot, root.append("rect").attr("class", "surface").attr("width", area.width).attr("height", area.height));
  }
  return {draw};
}
