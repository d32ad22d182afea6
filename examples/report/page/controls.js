// What is chosen: which series are shown, which variant of a figure, the unit of x, smoothing.

/** A legend of names; `chosen` is the set of shown groups, `changed` is called after each click. */
function makeLegend(host, names, chosen, changed, isSticky) {
  const legend = d3.select(host).append("div").attr("class", isSticky ? "legend sticky" : "legend").attr("role", "group").attr("aria-label", "series shown");
  const buttons = legend.selectAll("button").data(names).enter().append("button").attr("type", "button")
    .attr("title", "click: show or hide; double click: this one alone").html((name, i) => `${sampleOf(i)}<span>${escapeHtml(name)}</span>`);
  const update = () => {
    buttons.attr("aria-pressed", (name, i) => chosen.has(i));
    changed();
  };
  const choose = (groups) => {
    chosen.clear();
    for (const group of groups) chosen.add(group);
    update();
  };
  buttons.attr("aria-pressed", true)
    .on("click", (name, i) => { if (!chosen.delete(i)) chosen.add(i); update(); })
    .on("dblclick", (name, i) => choose([i]));
  if (names.length > 1) {
    legend.append("button").attr("type", "button").attr("class", "all").text("all").on("click", () => choose(names.keys()));
    legend.append("button").attr("type", "button").attr("class", "all").text("none").on("click", () => choose([]));
  }
}

/** A select with a label; `changed` gets the place of the option. */
function makeSelect(host, label, options, changed) {
  const select = host.append("label").text(label).append("select").attr("aria-label", label);
  select.selectAll("option").data(options).enter().append("option").attr("value", (text, i) => i).text(String);
  select.on("change", function onChange() { changed(Number(this.value)); });
}

/** The unit of x of a group whose x are steps. */
function makeUnits(controls, spec, context, redraw) {
  const series = [].concat(...spec.figures.map((figure) => figure.series || []));
  const units = ["step"];
  if (spec.steps_per_epoch > 0) units.push("epoch");
  if (series.length > 0 && series.every((one) => one.seconds_per_step > 0)) units.push("seconds");
  let unit = "step";
  context.scale = (one) => (unit === "epoch" ? 1 / spec.steps_per_epoch : unit === "seconds" ? one.seconds_per_step : 1);
  context.labelX = () => (unit === "seconds" ? "seconds, at the mean pace of the run" : unit);
  if (units.length > 1) makeSelect(controls, "x axis", units, (i) => { unit = units[i]; redraw(true); });
}

/** Smoothing of the losses: the length of the average as a part of the run, from 0 to a tenth, finer at the beginning. */
function makeSmoothing(controls, spec, context, redraw) {
  if (!spec.figures.some((figure) => figure.smooth)) return;
  let part = 0;
  const longest = (figure) => d3.max([0, ...figure.series.map((one) => toNumber(one.x[one.x.length - 1]) * (context.scale ? context.scale(one) : 1))]);
  context.smoothing = (figure) => part * longest(figure);
  const label = controls.append("label").text("smoothing of the loss");
  const slider = label.append("input").attr("type", "range").attr("min", 0).attr("max", 100).property("value", 0).attr("aria-label", "smoothing of the loss");
  const output = label.append("output").text("none");
  slider.on("input", function onInput() {
    part = 0.1 * (Number(this.value) / 100) ** 2;
    const figure = spec.figures.find((one) => one.smooth);
    output.text(part === 0 ? "none" : `over ${shown(Number((part * longest(figure)).toPrecision(2)))} ${context.labelX ? context.labelX().split(",")[0] : ""}`);
    redraw(false);
  });
}
