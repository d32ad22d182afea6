// The frame of a figure: heading, buttons, the SVG, the tooltip, and saving as SVG and CSV.

const SAVED_STYLES = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "opacity",
  "font-family", "font-size", "font-weight", "text-anchor", "paint-order"];

function download(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type}));
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** The heading above a saved figure and the names of its series below, in rows. */
function addLegend(copy, title, names) {
  const svg = d3.select(copy), width = Number(svg.attr("width")), height = Number(svg.attr("height")), row = 18, heading = 26;
  const text = (x, y, content) => svg.append("text").attr("x", x).attr("y", y).attr("font-size", "12.5px").attr("font-family", "sans-serif")
    .attr("fill", getComputedStyle(document.body).color).text(content);
  let x = 0, y = height + 14;
  for (const {name, group} of names) {
    const length = 30 + textWidth(name) + 18;
    if (x > 0 && x + length > width) x = 0, y += row;
    svg.append("line").attr("x1", x).attr("x2", x + 22).attr("y1", y - 4).attr("y2", y - 4).attr("stroke-width", 2.2)
      .attr("stroke", resolved(colourOf(group))).attr("stroke-dasharray", dashOf(group));
    text(x + 30, y, name);
    x += length;
  }
  text(0, -10, title).attr("font-weight", 600);
  const bottom = names.length > 0 ? y + 10 : height;
  svg.attr("height", bottom + heading).attr("viewBox", `0 ${-heading} ${width} ${bottom + heading}`);
  return heading;
}

/** A colour of the page's style as a plain one. */
function resolved(colour) {
  const probe = document.createElement("span");
  probe.style.color = colour;
  document.body.append(probe);
  const plain = getComputedStyle(probe).color;
  probe.remove();
  return plain;
}

/** The SVG as a file that stands alone: every style that the page gives it is written into it. */
function standaloneSvg(svg, title, names) {
  const copy = svg.cloneNode(true);
  const from = [svg, ...svg.querySelectorAll("*")], to = [copy, ...copy.querySelectorAll("*")];
  from.forEach((element, i) => {
    const style = getComputedStyle(element);
    for (const property of SAVED_STYLES) to[i].setAttribute(property, style.getPropertyValue(property));
    to[i].removeAttribute("style");
  });
  copy.querySelectorAll(".surface, .rule, .cursor").forEach((element) => element.remove());
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const top = addLegend(copy, title, names);
  const paper = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  paper.setAttribute("y", -top);
  paper.setAttribute("width", "100%");
  paper.setAttribute("height", "100%");
  paper.setAttribute("fill", getComputedStyle(document.body).backgroundColor);
  copy.prepend(paper);
  return new XMLSerializer().serializeToString(copy);
}

/** A figure in `host`: {svg, button(), tooltip, width(), rows, names}. Who draws sets `rows`, those of its CSV, and `names`, a saved figure's legend. */
function makeFrame(host, spec) {
  const figure = d3.select(host).append("figure").attr("class", "plot").attr("data-kind", spec.kind);
  const head = figure.append("div").attr("class", "head");
  head.append("h4").text(spec.title || "");
  const bar = head.append("div").attr("class", "bar").attr("role", "group").attr("aria-label", `figure ${spec.title || ""}`);
  const svg = figure.append("svg").attr("role", "img").attr("tabindex", 0);
  const tooltip = figure.append("div").attr("class", "tooltip").attr("role", "status").attr("hidden", "");
  if (spec.caption) figure.append("p").attr("class", "caption").text(spec.caption);
  const frame = {
    figure, svg, tooltip, rows: () => [], names: () => [],
    width: () => Math.max(240, figure.node().clientWidth),
    button(text, title, action) {
      return bar.append("button").attr("type", "button").attr("title", title).text(text).on("click", action);
    },
    /** Shows HTML beside a point of the SVG, inside the figure. */
    tell(html, x, y) {
      tooltip.html(html).attr("hidden", null);
      const box = tooltip.node(), top = svg.node().offsetTop || svg.node().getBoundingClientRect().top - figure.node().getBoundingClientRect().top;
      const left = x + 14 + box.offsetWidth > frame.width() ? x - 14 - box.offsetWidth : x + 14;
      tooltip.style("left", `${Math.max(0, left)}px`).style("top", `${top + Math.max(0, y - box.offsetHeight / 2)}px`);
    },
    hush() { tooltip.attr("hidden", ""); },
    /** The buttons that every figure has, last. */
    addSaving() {
      frame.button("SVG", "save the figure as SVG", () => download(`${fileName(spec.title || "")}.svg`, "image/svg+xml", standaloneSvg(svg.node(), spec.title || "", frame.names())));
      frame.button("CSV", "save the data of the figure as CSV", () => download(`${fileName(spec.title || "")}.csv`, "text/csv", csvOf(frame.rows())));
    },
  };
  return frame;
}

/** A button that stays pressed. */
function toggle(frame, text, title, isOn, action) {
  const button = frame.button(text, title, () => {
    button.attr("aria-pressed", button.attr("aria-pressed") !== "true");
    action(button.attr("aria-pressed") === "true");
  });
  return button.attr("aria-pressed", Boolean(isOn));
}
