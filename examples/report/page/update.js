// Figures of kind "update": one weight at the step that a slider chooses: the terms of its update as bars, the formula
// with its numbers beside them, and below the paths of the weight, with a rule at the step.

const TERM_ROW = 34, LINE_HEAD = 24;

/** The text, cut where it is wider than `width` pixels. */
function fitted(text, width) {
  if (textWidth(text) <= width) return text;
  let length = text.length;
  while (length > 1 && textWidth(`${text.slice(0, length)}…`) > width) --length;
  return `${text.slice(0, length)}…`;
}

/** The lines of a step that have terms to show. */
const linesWithTerms = (step) => step.lines.filter((line) => line.terms.length > 0);

/** Bars of the terms, line by line, each line on the scale of its largest term in all steps. */
function makeTerms(host, spec, chosen) {
  const frame = makeFrame(host, {kind: "terms", title: "Terms of the update",
    caption: "Each line of the formula on a scale of its own, the same for all steps; what a line adds to its value before."});
  frame.addSaving();
  frame.rows = () => [["step", "line", "term", "value"], ...[].concat(...spec.steps.map((step) =>
    [].concat(...linesWithTerms(step).map((line) => line.terms.map((term) => [step.step, `${line.rule}: ${line.name}`, term.name, toNumber(term.value)])))))];
  const reach = new Map();
  for (const step of spec.steps)
    for (const line of step.lines)
      for (const term of line.terms) {
        const size = Math.abs(toNumber(term.value));
        if (Number.isFinite(size)) reach.set(line.key, Math.max(reach.get(line.key) || 0, size));
      }

  function draw() {
    const step = spec.steps[chosen()], lines = linesWithTerms(step), width = frame.width();
    const height = d3.sum(lines, (line) => LINE_HEAD + line.terms.length * TERM_ROW);
    frame.svg.attr("width", width).attr("height", Math.max(40, height + 8))
      .attr("aria-label", `Terms of step ${step.step}: ` + lines.map((line) => `${line.name}: ` +
        line.terms.map((term) => `${term.name} ${shown(toNumber(term.value))}`).join(", ")).join("; "));
    frame.svg.selectAll("*").remove();
    const root = frame.svg.append("g").attr("class", "root");
    if (lines.length === 0) root.append("text").attr("y", 20).text("this step leaves the weight alone");
    let y = 0;
    for (const line of lines) {
      root.append("text").attr("class", "axis-label").attr("y", y + 16).text(fitted(`${line.rule}: ${line.name}`, width));
      y += LINE_HEAD;
      const x = d3.scaleLinear().domain([-1, 1].map((side) => side * (reach.get(line.key) || 1))).range([0, width]);
      for (const term of line.terms) {
        const value = toNumber(term.value), end = Number.isFinite(value) ? x(value) : x(0), text = shown(value);
        const row = root.append("g").attr("class", "term").attr("data-term", term.name);
        row.append("text").attr("x", 0).attr("y", y + 13).text(fitted(term.name, width - textWidth(text) - 20));
        row.append("text").attr("class", "name").attr("x", width).attr("y", y + 13).attr("text-anchor", "end").text(text);
        row.append("line").attr("class", "zero").attr("x1", x(0)).attr("x2", x(0)).attr("y1", y + 16).attr("y2", y + 29);
        row.append("rect").attr("x", Math.min(x(0), end)).attr("width", Math.abs(end - x(0))).attr("y", y + 18).attr("height", 9)
          .style("fill", `var(--c${value < 0 ? 1 : 0})`).append("title").text(`${term.name}: ${text}`);
        y += TERM_ROW;
      }
    }
  }
  return {draw};
}

function makeUpdate(host, spec, context) {
  const box = d3.select(host).append("div").attr("class", "group update"), last = spec.steps.length - 1;
  let at = spec.at;
  const label = box.append("div").attr("class", "controls").append("label").text("step");
  const slider = label.append("input").attr("type", "range").attr("min", 0).attr("max", last).property("value", at).attr("aria-label", "step");
  const output = label.append("output");
  const panels = box.append("div").attr("class", "panels");
  const terms = makeTerms(panels.append("div").node(), spec, () => at);
  const formula = panels.append("div").attr("class", "formula").attr("role", "status");
  const paths = {...spec.paths, marks: {x: [spec.steps[at].step], label: "the chosen step"}};
  const curves = withLegend(box.append("div").attr("class", "panels").node(), paths, context);

  function show() {
    const step = spec.steps[at];
    slider.attr("aria-valuetext", `step ${step.step}`);
    output.text(`${step.step}${step.synced ? ", a sync" : ""}`);
    const lines = [{rule: "before", text: [`w = ${step.before}`, `g = ${step.gradient}`]},
      ...step.lines.map((line) => ({rule: line.rule, text: [`${line.name} = ${line.symbols}`,
        ...(line.numbers === line.symbols ? [] : [`= ${line.numbers}`]), ...(line.numbers === line.value ? [] : [`= ${line.value}`])]})),
      {rule: "after", text: [`w = ${step.after}`]}];
    formula.selectAll("*").remove();
    for (const line of lines) {
      const row = formula.append("div").attr("class", "line");
      row.append("span").text(line.rule);
      const code = row.append("div");
      for (const text of line.text) code.append("code").text(text);
    }
    paths.marks.x = [step.step];
    terms.draw();
    curves.draw();
  }
  slider.on("input", function onInput() { at = Number(this.value); show(); });
  return {draw: show};
}
