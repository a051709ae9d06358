// What every chart shares: the theme's colours, a size that follows its place, axes, and a line that reads the values out.

const dark = window.matchMedia("(prefers-color-scheme: dark)");

export function palette() {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(`--${name}`).trim();
}

export function font(size = 12.5) {
  return `${size}px ${getComputedStyle(document.body).fontFamily}`;
}

export function axes(colour, xLabel) {
  const shared = { stroke: colour("soft"), font: font(), ticks: { show: false } };
  return [
    { ...shared, grid: { show: false }, size: 28, gap: 8, label: xLabel, labelSize: 22, labelGap: 2, labelFont: font(), space: 64 },
    { ...shared, grid: { stroke: colour("chart-grid"), width: 1 }, size: 46, gap: 8, space: 46, values: (_, ticks) => ticks.map((v) => `${v}°`.replace("-", "−")) },
  ];
}

// Makes the chart and keeps it fitting: `build(colour)` gives uPlot's options; a new theme draws all anew.
export function keep(place, columns, build) {
  let chart = null;
  const size = () => ({ width: Math.max(place.clientWidth, 200), height: place.clientHeight });
  const draw = () => {
    chart?.destroy();
    chart = new uPlot({ ...size(), ...build(palette()) }, columns, place);
  };
  draw();
  const watcher = new ResizeObserver(() => {
    const now = size();
    if (now.width !== chart.width || now.height !== chart.height) chart.setSize(now);
  });
  watcher.observe(place);
  dark.addEventListener("change", draw);
  return () => {
    watcher.disconnect();
    dark.removeEventListener("change", draw);
    chart.destroy();
  };
}

// A dashed line across, its words above it at the left; canvas state is put back for who draws next.
export function level(chart, value, words, colour) {
  const { ctx, bbox } = chart;
  const y = Math.round(chart.valToPos(value, "y", true));
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour;
  ctx.lineWidth = 1.5 * ratio;
  ctx.setLineDash([5 * ratio, 5 * ratio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.font = font(12.5 * ratio);
  ctx.textAlign = "left";
  ctx.textBaseline = "bottom";
  ctx.fillText(words, bbox.left + 6 * ratio, y - 4 * ratio);
  ctx.restore();
}

// Parts of a readout as text nodes: `[["Day 12", true], "measured"]`, true for strong.
export function read(place, parts) {
  place.replaceChildren(...parts.flatMap((part) => {
    const [text, strong] = Array.isArray(part) ? part : [part, false];
    const node = document.createElement(strong ? "b" : "span");
    node.textContent = text;
    return [node, document.createTextNode(" ")];
  }));
}
