// Numbers and looks: what is read from the data, how it is written, which colour and dash a series has.

/** A number of the data: null is a gap, "inf" and "-inf" are infinite. */
function toNumber(value) {
  if (value === "inf") return Infinity;
  if (value === "-inf") return -Infinity;
  return typeof value === "number" ? value : NaN;
}

/** Four significant digits, as people write them. */
function shown(value) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "–" : value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = Number.isInteger(value) && size < 1e7 ? d3.format(",")(value)
    : size >= 1e-3 && size < 1e6 ? d3.format(size < 1 ? ".4f" : ".5~r")(value) : d3.format(".3~e")(value);
  return text.replace(/-/g, "−");
}

/** Ticks of an axis. */
function tickText(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  return (size >= 1e-3 && size < 1e6 ? d3.format(size >= 1000 ? ",~r" : "~r")(+value.toPrecision(12)) : d3.format("~e")(+value.toPrecision(12)))
    .replace(/-/g, "−");
}

const DASHES = ["", "7 3", "2 2.5", "9 3 2 3", "4 2"];

/** Eight colours times five dashes: forty series look different. */
const colourOf = (group) => `var(--c${group % 8})`;
const dashOf = (group) => DASHES[group % 5] || null;

/** A short piece of a series' line, for legends and tooltips. */
function sampleOf(group) {
  return `<svg width="18" height="8" aria-hidden="true"><line x1="0" y1="4" x2="18" y2="4" stroke-width="2.2" ` +
    `style="stroke: ${colourOf(group)}" stroke-dasharray="${dashOf(group) || "none"}"/></svg>`;
}

/** Pixels that a text takes in a figure. */
function textWidth(text) {
  const pen = textWidth.pen = textWidth.pen || document.createElement("canvas").getContext("2d");
  pen.font = `12.5px ${getComputedStyle(document.documentElement).getPropertyValue("--sans")}`;
  return pen.measureText(text).width;
}

function escapeHtml(text) {
  return String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** Rows of values as CSV; texts with commas or quotes are quoted. */
function csvOf(rows) {
  const field = (value) => {
    const text = value === null || Number.isNaN(value) ? "" : value === Infinity ? "inf" : value === -Infinity ? "-inf" : String(value);
    return /[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  };
  return rows.map((row) => row.map(field).join(",") + "\n").join("");
}

/** A file name of a title. */
const fileName = (title) => title.replace(/[^A-Za-z0-9_=.-]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 80) || "figure";
