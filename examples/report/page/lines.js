// Figures of kind "lines": curves over x with bands or intervals, marks, ends, logarithmic axes.

/** The series of a figure as arrays of points {x, y, low, high, note}; `context.scale(series)` turns steps into epochs or seconds. */
function pointsOf(series, context) {
  const factor = context.scale ? context.scale(series) : 1;
  return series.x.map((x, i) => ({
    x: toNumber(x) * factor, y: toNumber(series.y[i]),
    low: series.low ? toNumber(series.low[i]) : NaN, high: series.high ? toNumber(series.high[i]) : NaN,
    note: series.notes ? series.notes[i] : "",
  }));
}

/** y averaged over the past: the weight of a point falls by e within `length` of x; for uneven points as for even ones. */
function smoothed(points, length) {
  if (!(length > 0)) return points;
  let mean = NaN, before = NaN;
  return points.map((point) => {
    if (!Number.isFinite(point.y)) return point;
    const keep = Number.isFinite(mean) ? Math.exp(-(point.x - before) / length) : 0;
    mean = keep === 0 ? point.y : keep * mean + (1 - keep) * point.y;
    before = point.x;
    return {...point, y: mean};
  });
}

/** Does a scale show this value? Logarithmic ones show none that are not positive. */
const canShow = (value, isLog) => Number.isFinite(value) && (!isLog || value > 0);

function domainOf(values, isLog, margin) {
  const extent = d3.extent(values.filter((value) => canShow(value, isLog)));
  if (extent[0] === undefined) return isLog ? [1, 10] : [0, 1];
  let [low, high] = extent;
  if (low === high) return isLog ? [low / 2, high * 2] : [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2];
  if (isLog) return [low / (high / low) ** margin, high * (high / low) ** margin];
  return [low - (high - low) * margin, high + (high - low) * margin];
}

const makeScale = (isLog, domain, range) => (isLog ? d3.scaleLog() : d3.scaleLinear()).domain(domain).range(range);

function drawAxes(root, plot, labels) {
  const {width, height} = plot.area;
  const grid = root.append("g").attr("class", "grid");
  const yTicks = plot.isLogY ? logTicks(plot.y, 6) : plot.y.ticks(5);
  grid.selectAll("line").data(yTicks).enter().append("line").attr("x2", width).attr("y1", plot.y).attr("y2", plot.y);
  const xTicks = plot.isLogX ? logTicks(plot.x, Math.max(3, width / 70)) : plot.x.ticks(Math.max(3, width / 90));
  root.append("g").attr("class", "x axis").attr("transform", `translate(0,${height})`)
    .call(d3.axisBottom(plot.x).tickValues(xTicks).tickFormat(tickText).tickSizeOuter(0));
  root.append("g").attr("class", "y axis").call(d3.axisLeft(plot.y).tickValues(yTicks).tickFormat(tickText).tickSizeOuter(0))
    .select(".domain").remove();
  root.append("text").attr("class", "axis-label").attr("x", width).attr("y", height + 36).attr("text-anchor", "end").text(labels.x);
  root.append("text").attr("class", "axis-label").attr("x", -plot.area.left).attr("y", -10).text(labels.y);
}

/** At most about `count` round values of a logarithmic scale: powers of ten, or also 2 and 5 times them, or plain ones. */
function logTicks(scale, count) {
  const [low, high] = scale.domain();
  const candidates = [[1], [1, 2, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9]].map((digits) => {
    const ticks = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); ++power)
      for (const digit of digits) if (digit * 10 ** power >= low && digit * 10 ** power <= high) ticks.push(digit * 10 ** power);
    return ticks;
  });
  const fitting = candidates.filter((ticks) => ticks.length >= 2 && ticks.length <= count);
  if (fitting.length > 0) return fitting[fitting.length - 1];
  if (candidates[0].length > count) return candidates[0].filter((tick, i) => i % Math.ceil(candidates[0].length / count) === 0);
  return candidates[1].length >= 2 ? candidates[1] : d3.scaleLinear().domain([low, high]).ticks(4);
}

function drawSeries(root, plot, one) {
  const {series, points} = one, style = series.style || "line";
  const shows = (p) => canShow(p.x, plot.isLogX) && canShow(p.y, plot.isLogY);
  const x = (p) => plot.x(p.x), y = (p) => plot.y(p.y);
  const colour = style.includes("contrast") ? "var(--ink)" : colourOf(one.group);
  const hasBand = (p) => shows(p) && canShow(p.low, plot.isLogY) && canShow(p.high, plot.isLogY);
  const layer = root.append("g").attr("class", "series").attr("data-name", series.name).attr("data-group", one.group);
  if (series.low && !style.includes("bars"))
    layer.append("path").attr("class", "band").datum(points).style("fill", colour)
      .attr("d", d3.area().defined(hasBand).x(x).y0((p) => plot.y(p.low)).y1((p) => plot.y(p.high)));
  if (series.low && style.includes("bars"))
    layer.selectAll(".interval").data(points.filter(hasBand)).enter().append("line").attr("class", "interval").style("stroke", colour)
      .attr("x1", x).attr("x2", x).attr("y1", (p) => plot.y(p.low)).attr("y2", (p) => plot.y(p.high));
  const line = d3.line().defined(shows).x(x).y(y);
  if (one.raw) layer.append("path").attr("class", "line raw").datum(one.raw).style("stroke", colour).attr("d", line);
  if (!style.includes("points") || style.includes("line"))
    layer.append("path").attr("class", style.includes("thin") ? "line thin" : "line").datum(points).style("stroke", colour)
      .attr("stroke-dasharray", style.includes("contrast") ? null : dashOf(one.group)).attr("d", line);
  const alone = (p, i) => shows(p) && !(points[i - 1] && shows(points[i - 1])) && !(points[i + 1] && shows(points[i + 1]));
  const marked = points.filter(style.includes("points") ? shows : alone);  // between two gaps there is no line
  if (marked.length > 0)
    layer.selectAll("circle").data(marked).enter().append("circle").attr("r", style.includes("bars") || style.includes("contrast") ? 3.2 : 2)
      .attr("cx", x).attr("cy", y).style("fill", colour);
  if (series.end) drawEnd(layer, points.filter(shows), series.end, x, y, colour);
  for (const value of series.diverged || [])
    drawCross(layer, plot.x(toNumber(value)), 8, colour).append("title").text(`${series.name}: diverged`);
}

const drawCross = (layer, x, y, colour) =>
  layer.append("path").attr("class", "end").attr("d", "M-5,-5L5,5M-5,5L5,-5").attr("transform", `translate(${x},${y})`).style("stroke", colour);

/** A cross or a circle where a run ended before its time. */
function drawEnd(layer, points, end, x, y, colour) {
  const last = points[points.length - 1];
  if (!last) return;
  const mark = end.mark === "cross" ? drawCross(layer, x(last), y(last), colour)
    : layer.append("circle").attr("class", "end").attr("r", 4.5).attr("cx", x(last)).attr("cy", y(last)).style("stroke", colour);
  mark.append("title").text(end.text);
}

/** The point nearest to x. */
function nearest(points, x) {
  const right = d3.bisector((p) => p.x).left(points, x);
  const left = points[right - 1], next = points[right];
  return !next || (left && x - left.x < next.x - x) ? left : next;
}

/** The values of all lines at the points nearest to a pixel, with a rule there. */
function readValues(frame, plot, shownSeries, pixel) {
  const root = frame.svg.select("g.root");
  root.selectAll(".rule, .cursor").remove();
  if (pixel === null || shownSeries.length === 0) return frame.hush();
  const x = plot.x.invert(pixel);
  const all = shownSeries.map((one) => ({one, point: nearest(one.points.filter((p) => Number.isFinite(p.x) && !Number.isNaN(p.y)), x)}));
  const anchor = d3.scan(all, (a, b) => distance(a, x) - distance(b, x)), at = all[anchor] && all[anchor].point;
  if (!at) return frame.hush();
  // A line that ended long before is not read; neighbouring points of others are.
  const reach = (plot.x.domain()[1] - plot.x.domain()[0]) / 40;
  const rows = all.filter(({point}) => point && Math.abs(point.x - at.x) <= reach).sort((a, b) => b.point.y - a.point.y);
  root.append("line").attr("class", "rule").attr("x1", plot.x(at.x)).attr("x2", plot.x(at.x)).attr("y2", plot.area.height);
  root.selectAll(".cursor").data(rows.filter(({point}) => canShow(point.y, plot.isLogY))).enter().append("circle").attr("class", "cursor").attr("r", 3.4)
    .attr("pointer-events", "none").attr("cx", ({point}) => plot.x(point.x)).attr("cy", ({point}) => plot.y(point.y)).style("fill", ({one}) => colourOf(one.group));
  const lines = rows.slice(0, 14).map(({one, point}) => `<div>${sampleOf(one.group)}<span>${escapeHtml(one.series.name)}</span><b>${shown(point.y)}</b></div>` +
    (point.note ? `<div><i></i><span>${escapeHtml(point.note)}</span></div>` : ""));
  if (rows.length > 14) lines.push(`<div><i></i><span>and ${rows.length - 14} more</span></div>`);
  frame.tell(`${escapeHtml(plot.labelX)} ${shown(at.x)}${lines.join("")}`, plot.area.left + plot.x(at.x), plot.area.top + plot.area.height / 2);
}

const distance = ({point}, x) => (point ? Math.abs(point.x - x) : Infinity);

function makeLines(host, spec, context) {
  const frame = makeFrame(host, spec), clip = `clip-${makeLines.count = (makeLines.count || 0) + 1}`;
  const plot = {svg: frame.svg, zoom: null, isLogX: Boolean(spec.x.log), isLogY: Boolean(spec.y.log), redraw: draw, read: () => {}};
  const setLog = (axis) => (isOn) => { plot[axis] = isOn; plot.zoom = null; draw(); };
  toggle(frame, "log x", "logarithmic x axis", plot.isLogX, setLog("isLogX"));
  toggle(frame, "log y", "logarithmic y axis", plot.isLogY, setLog("isLogY"));
  const reset = frame.button("reset", "show everything again (double click, or 0)", () => zoomTo(plot, null, null));
  frame.addSaving();
  addKeys(plot);
  const groupOf = (series, i) => (series.group === undefined ? i : series.group);
  const all = () => spec.series.map((series, i) => ({series, group: groupOf(series, i), points: pointsOf(series, context)}));
  frame.names = () => all().filter((one) => context.isShown(one.group) && !(one.series.style || "").includes("thin"))
    .map((one) => ({name: one.series.name, group: one.group}));
  frame.rows = () => [["series", plot.labelX, plot.labelY, "low", "high"],
    ...[].concat(...all().map((one) => one.points.map((p) => [one.series.name, p.x, p.y, p.low, p.high])))];

  function draw() {
    const width = frame.width(), height = width < 420 ? 230 : 280;
    // The axis is named above it, but where the heading says the same.
    const isNamed = spec.title === spec.y.label, top = isNamed ? 12 : 30;
    plot.area = {left: 58, top, width: width - 58 - 14, height: height - top - 46};
    plot.labelX = context.labelX ? context.labelX() : spec.x.label || "";
    plot.labelY = spec.y.label || "";
    const length = spec.smooth && context.smoothing ? context.smoothing(spec) : 0;
    const visible = all().filter((one) => context.isShown(one.group)).map((one) =>
      length > 0 ? {...one, raw: one.points, points: smoothed(one.points, length)} : one);
    const points = [].concat(...visible.map((one) => one.raw || one.points));
    const xs = plot.zoom ? plot.zoom.x : domainOf(points.map((p) => p.x), plot.isLogX, spec.series.some((s) => s.style && s.style.includes("points")) ? 0.03 : 0);
    const seen = points.filter((p) => p.x >= xs[0] && p.x <= xs[1]);
    const ys = plot.zoom && plot.zoom.y ? plot.zoom.y : domainOf([].concat(...seen.map((p) => [p.y, p.low, p.high])), plot.isLogY, 0.05);
    plot.x = makeScale(plot.isLogX, xs, [0, plot.area.width]);
    plot.y = makeScale(plot.isLogY, ys, [plot.area.height, 0]);
    reset.attr("hidden", plot.zoom ? null : "");
    frame.svg.attr("width", width).attr("height", height).attr("aria-label", `${spec.title || plot.labelY}: ${visible.length} curves by ${plot.labelX}. ` +
      "Arrow keys read values, plus and minus zoom, 0 shows everything.").selectAll("*").remove();
    frame.svg.append("clipPath").attr("id", clip).append("rect").attr("x", -5).attr("y", -8).attr("width", plot.area.width + 10).attr("height", plot.area.height + 12);
    const root = frame.svg.append("g").attr("class", "root").attr("transform", `translate(${plot.area.left},${plot.area.top})`);
    drawAxes(root, plot, {x: plot.labelX, y: isNamed ? "" : plot.labelY});
    const inside = root.append("g").attr("clip-path", `url(#${clip})`);
    if (spec.marks)
      inside.selectAll(".sync").data(spec.marks.x).enter().append("line").attr("class", "sync").attr("y2", plot.area.height)
        .attr("x1", (x) => plot.x(toNumber(x))).attr("x2", (x) => plot.x(toNumber(x))).append("title").text(spec.marks.label);
    for (const one of visible) drawSeries(inside, plot, one);
    if (visible.length === 0) root.append("text").attr("x", plot.area.width / 2).attr("y", plot.area.height / 2).attr("text-anchor", "middle").text("no series is chosen");
    const surface = root.append("rect").attr("class", "surface").attr("width", plot.area.width).attr("height", plot.area.height);
    plot.read = (pixel) => readValues(frame, plot, visible, pixel);
    addHands(plot, surface);
  }
  return {draw};
}
