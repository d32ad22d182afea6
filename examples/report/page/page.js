// The page: reads the data, builds the figures of each section, draws them anew when the window changes.

const KINDS = {lines: makeLines, heatmap: makeHeatmap, density: makeDensity, contours: makeContours, points: makePoints,
               update: makeUpdate, group: makeGroup};

/** A figure of any kind in `host`; a kind that is not known is said, not passed over. */
function makeFigure(host, spec, context) {
  if (KINDS[spec.kind]) return KINDS[spec.kind](host, spec, context);
  d3.select(host).append("p").attr("class", "notice").text(`A figure of the kind "${spec.kind}", which this page does not know.`);
  return {draw() {}};
}

/** A figure whose series are not of the section's groups has a legend of its own, where it has several. */
function withLegend(host, spec, context) {
  if (!spec.series || spec.series.some((one) => one.group !== undefined)) return makeFigure(host, spec, context);
  if (spec.series.length < 2) return makeFigure(host, spec, {...context, isShown: () => true});
  const box = d3.select(host).append("div").node(), chosen = new Set(spec.series.keys());
  const own = {...context, isShown: (group) => chosen.has(group)};
  const figure = makeFigure(box, spec, own);
  makeLegend(box, spec.series.map((one) => one.name), chosen, () => figure.draw(), false);
  return figure;
}

/** Figures that belong together: "figures", or "variants" of which selects choose one. */
function makeGroup(host, spec, outer) {
  const context = {...outer}, box = d3.select(host).append("div").attr("class", "group");
  if (spec.title) box.append("h3").text(spec.title);
  if (spec.caption) box.append("p").attr("class", "caption").text(spec.caption);
  const controls = box.append("div").attr("class", "controls"), panels = box.append("div").attr("class", "panels");
  let figures = [];
  const draw = () => figures.forEach((figure) => figure.draw());
  const build = (specs) => {
    panels.selectAll("*").remove();
    figures = specs.map((one) => withLegend(panels.node(), one, context));
  };
  if (spec.variants) {
    const at = spec.choose.map(() => 0);
    const show = () => {
      const number = spec.choose.reduce((sum, one, i) => sum * one.options.length + at[i], 0);
      const variant = spec.variants[number];
      build(variant.kind === "group" && !variant.title && !variant.choose ? variant.figures : [variant]);
    };
    spec.choose.forEach((one, i) => {
      if (one.options.length > 1) makeSelect(controls, one.label, one.options, (place) => { at[i] = place; show(); draw(); });
    });
    show();
  } else {
    // Panels keep their zoom where a control leaves x as it is.
    const rebuild = (isNewX) => { if (isNewX) build(spec.figures); draw(); };
    if (spec.steps_per_epoch !== undefined) makeUnits(controls, spec, context, rebuild);
    makeSmoothing(controls, spec, context, rebuild);
    build(spec.figures);
  }
  return {draw};
}

function makeSection(host, section) {
  const groups = section.groups || [], chosen = new Set(groups.keys()), figures = [];
  const hasLegend = groups.length > 0 && (section.figures || []).length > 0;
  const context = {hasLegend, isShown: (group) => !hasLegend || chosen.has(group)};
  const draw = () => figures.forEach((figure) => figure.draw());
  if (hasLegend) makeLegend(host, groups, chosen, draw, true);
  let panels = null;  // figures in a row stand side by side, a group or an update below them
  for (const spec of section.figures || []) {
    if (spec.kind === "group" || spec.kind === "update") panels = null;
    else if (panels === null) panels = d3.select(host).append("div").attr("class", "panels").node();
    figures.push(withLegend(panels || host, spec, context));
  }
  return {draw};
}

/** Light, dark, or as the system has it. */
function makeThemeButton(host, redraw) {
  const names = {"": "theme: system", light: "theme: light", dark: "theme: dark"}, order = ["", "light", "dark"];
  let theme = "";
  const button = d3.select(host).append("button").attr("type", "button").attr("id", "theme").text(names[theme]);
  button.on("click", () => {
    theme = order[(order.indexOf(theme) + 1) % order.length];
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    button.text(names[theme]);
    redraw();
  });
}

const data = JSON.parse(document.getElementById("data").textContent);
const sections = [...document.querySelectorAll(".figures")].map((host) => makeSection(host, data.sections[Number(host.dataset.section)]));
const drawAll = () => sections.forEach((section) => section.draw());
makeThemeButton(document.getElementById("tools"), drawAll);
let width = 0;
new ResizeObserver(() => {
  if (document.body.clientWidth === width) return;
  width = document.body.clientWidth;
  drawAll();
}).observe(document.body);
