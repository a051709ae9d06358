// Joint angle over the session: each repetition a shaded column with its number and, in colour and sign, its form; each
// moment at which it hurt an upright line with a disc at its foot, which holds the pain where the patient gave a number.
import { axes, font, keep, read } from "./charts.js";

const signs = { good: "✓", watch: "!", plain: "?" };

// Whatever `paint` draws stays inside the plot's own rectangle.
function inside(chart, paint) {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  paint(ctx, bbox);
  ctx.restore();
}

// The repetitions in view with their place on the canvas.
function columns(chart, repetitions, paint) {
  const { min, max } = chart.scales.x;
  inside(chart, (ctx) => repetitions
    .filter((r) => r.end_s > min && r.start_s < max)
    .map((r) => ({ ...r, left: chart.valToPos(r.start_s, "x", true), right: chart.valToPos(r.end_s, "x", true) }))
    .forEach((r, index, visible) => paint(ctx, r, visible)));
}

function shade(chart, repetitions, colour) {
  const { top, height } = chart.bbox;
  columns(chart, repetitions, (ctx, r) => {
    ctx.fillStyle = colour(`shade-${r.tone}`);
    ctx.fillRect(r.left, top, Math.max(r.right - r.left - devicePixelRatio, devicePixelRatio), height);
  });
}

// Numbers only where a column has room for them; shading and table tell the rest.
function label(chart, repetitions, colour) {
  const ratio = devicePixelRatio;
  const { top } = chart.bbox;
  columns(chart, repetitions, (ctx, r, visible) => {
    const room = Math.min(...visible.map((one) => one.right - one.left));
    if ((r.number - 1) % Math.max(1, Math.ceil((24 * ratio) / Math.max(room, 1)))) return;
    ctx.font = font(12 * ratio);
    ctx.textAlign = "center";
    ctx.textBaseline = "top";
    ctx.fillStyle = colour(r.tone === "plain" ? "soft" : r.tone);
    ctx.fillText(`${r.number}`, (r.left + r.right) / 2, top + 7 * ratio);
    ctx.fillText(signs[r.tone], (r.left + r.right) / 2, top + 23 * ratio);
  });
}

function markHurts(chart, hurts, colour) {
  const ratio = devicePixelRatio;
  const radius = 9 * ratio;
  inside(chart, (ctx, { top, height }) => hurts.forEach((hurt) => {
    const x = Math.round(chart.valToPos(hurt.time_s, "x", true));
    const y = top + height - radius - 4 * ratio;
    ctx.strokeStyle = ctx.fillStyle = colour("alert");
    ctx.lineWidth = 2 * ratio;
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, y);
    ctx.stroke();
    ctx.beginPath();
    ctx.arc(x, y, radius, 0, 2 * Math.PI);
    ctx.fill();
    if (hurt.pain == null) return;
    ctx.font = font(12 * ratio);
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.fillStyle = colour("surface");
    ctx.fillText(`${hurt.pain}`, x, y + ratio / 2);
  }));
}

// The moment whose line is under the pointer, give or take the radius of its disc.
const hurtAt = (chart, hurts) => hurts.find((hurt) => Math.abs(chart.valToPos(hurt.time_s, "x") - chart.cursor.left) <= 9);
const hurtWords = ({ pain }) => ["· it hurt", [pain == null ? "(no number given)" : `(pain ${pain})`, true]];

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

export function sessionChart(place, data, readout) {
  const times = data.flexion_deg.map((_, index) => data.start_s + index / data.rate_hz);
  const known = data.flexion_deg.filter((value) => value != null);
  const low = Math.floor((Math.min(...known, 0) - 2) / 10) * 10;
  const high = Math.ceil(Math.max(...known, 90) / 10) * 10;
  const roomAbove = (high - low) * 0.24;
  const rest = () => read(readout, [`${data.repetitions.length} repetitions marked; point at one to read it.`]);
  rest();
  return keep(place, [times, data.flexion_deg], (colour) => ({
    padding: [10, 14, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 8, fill: colour("chart-point"), stroke: colour("surface") } },
    scales: { x: { time: false }, y: { range: () => [low, high + roomAbove] } },
    axes: axes(colour, "minutes into the session").map((axis, index) => (index ? { ...axis, incrs: [5, 10, 15, 30, 45, 90], filter: (_, ticks) => ticks.filter((v) => v <= high) } : { ...axis, values: (_, ticks) => ticks.map(clock), incrs: [1, 2, 5, 10, 15, 30, 60, 120, 300, 600] })),
    series: [{}, { stroke: colour("chart-point"), width: 1.75, points: { show: false } }],
    hooks: {
      drawClear: [(chart) => shade(chart, data.repetitions, colour)],
      draw: [(chart) => label(chart, data.repetitions, colour), (chart) => markHurts(chart, data.hurts, colour)],
      setCursor: [(chart) => {
        const index = chart.cursor.idx;
        if (index == null || chart.cursor.left < 0) return rest();
        const time = times[index];
        const flexion = data.flexion_deg[index];
        const repetition = data.repetitions.find((r) => r.start_s <= time && time <= r.end_s);
        const hurt = hurtAt(chart, data.hurts);
        const parts = [[clock(time), true], `· ${data.angle}`, [flexion == null ? "no signal" : `${Math.round(flexion)}°`.replace("-", "−"), true]];
        if (repetition) parts.push(`· ${repetition.words}`);
        if (hurt) parts.push(...hurtWords(hurt));
        return read(readout, parts);
      }],
    },
  }));
}
