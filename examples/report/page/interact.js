// Hands on a plot: a pointer or the arrow keys read values, dragging zooms into a rectangle, shift-dragging and
// shift-arrows pan, ctrl-wheel and + - zoom, a double click, 0 or the button go back.

const SMALLEST_DRAG = 6;  // pixels

/**
 * `plot`: {svg, area: {left, top, width, height}, x, y: scales, zoom: {x, y} domains or null, redraw(), read(x or null, y)}.
 * `surface` is the rectangle that takes the pointer; it is made anew by every drawing, the plot stays.
 */
function addHands(plot, surface) {
  let start = null, box = null;
  const at = (event) => {
    const frame = plot.svg.node().getBoundingClientRect();
    return [event.clientX - frame.left - plot.area.left, event.clientY - frame.top - plot.area.top];
  };
  surface
    .on("pointerdown", () => {
      const event = d3.event;
      if (event.button !== 0) return;
      start = {point: at(event), pans: event.shiftKey, x: plot.x.domain(), y: plot.y.domain()};
      surface.node().setPointerCapture(event.pointerId);
    })
    .on("pointermove", () => {
      const point = at(d3.event);
      if (start === null) return plot.read(point[0], point[1]);
      plot.read(null);
      if (start.pans) return;
      if (box === null) box = d3.select(surface.node().parentNode).append("rect").attr("class", "box").attr("pointer-events", "none");
      const [x0, x1] = d3.extent([start.point[0], point[0]]), [y0, y1] = verticalPart(start.point[1], point[1], plot.area.height);
      box.attr("x", x0).attr("width", x1 - x0).attr("y", y0).attr("height", y1 - y0);
    })
    .on("pointerup", () => {
      if (start === null) return;
      const point = at(d3.event), begun = start;
      start = null;
      if (box !== null) box.remove();
      box = null;
      if (Math.hypot(point[0] - begun.point[0], point[1] - begun.point[1]) < SMALLEST_DRAG) return;
      if (begun.pans) return pan(plot, begun.point[0] - point[0], begun.point[1] - point[1]);
      const [x0, x1] = d3.extent([begun.point[0], point[0]]), [y0, y1] = verticalPart(begun.point[1], point[1], plot.area.height);
      if (x1 - x0 < SMALLEST_DRAG) return;
      zoomTo(plot, [x0, x1].map(plot.x.invert), y1 - y0 < plot.area.height ? [y1, y0].map(plot.y.invert) : null);
    })
    .on("pointercancel", () => {
      start = null;
      if (box !== null) box.remove();
      box = null;
    })
    .on("pointerleave", () => { if (start === null) plot.read(null); })
    .on("dblclick", () => zoomTo(plot, null, null))
    .on("wheel", () => {
      const event = d3.event;
      if (!event.ctrlKey && !event.metaKey) return;  // the page scrolls
      event.preventDefault();
      scale(plot, event.deltaY > 0 ? 1.25 : 0.8, at(event)[0]);
    });
}

/** A drag that is nearly horizontal zooms x alone: the whole height. */
function verticalPart(a, b, height) {
  return Math.abs(a - b) < 20 ? [0, height] : d3.extent([a, b]);
}

function zoomTo(plot, x, y) {
  plot.zoom = x === null ? null : {x, y};
  plot.redraw();
}

/** Makes the stretch of x that is seen `factor` times as long, round the pixel `centre`. */
function scale(plot, factor, centre) {
  const edges = [0, plot.area.width].map((edge) => plot.x.invert(centre + (edge - centre) * factor));
  zoomTo(plot, edges, plot.zoom && plot.zoom.y);
}

function pan(plot, dx, dy) {
  const x = [dx, plot.area.width + dx].map(plot.x.invert);
  const y = plot.zoom && plot.zoom.y ? [plot.area.height + dy, dy].map(plot.y.invert) : null;
  zoomTo(plot, x, y);
}

/** Keys of the focused SVG. */
function addKeys(plot) {
  let cursor = null;
  plot.svg.on("keydown", () => {
    const event = d3.event, width = plot.area.width;
    const actions = {
      "+": () => scale(plot, 0.8, width / 2), "=": () => scale(plot, 0.8, width / 2), "-": () => scale(plot, 1.25, width / 2),
      "0": () => zoomTo(plot, null, null), Escape: () => { cursor = null; plot.read(null); },
    };
    const arrow = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || (arrow === undefined && !actions[event.key])) return;
    event.preventDefault();
    if (arrow === undefined) return actions[event.key]();
    if (event.shiftKey) return pan(plot, arrow * width / 8, 0);
    cursor = Math.max(0, Math.min(width, (cursor === null ? width / 2 : cursor) + arrow * width / 60));
    plot.read(cursor);
  }).on("blur", () => { cursor = null; plot.read(null); });
}
