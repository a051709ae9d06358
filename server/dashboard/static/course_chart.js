// Range of motion over days: forecast band, expected course, goal, measured points with their error.
import { axes, keep, level, read } from "./charts.js";

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const degrees = (value) => `${Math.round(value)}°`;

function errorBars(chart, series, colour) {
  const { ctx } = chart;
  const [days, , , , measured] = chart.data;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.globalAlpha = 0.55;
  ctx.lineWidth = 1.25 * devicePixelRatio;
  ctx.beginPath();
  measured.forEach((value, index) => {
    if (value == null) return;
    const x = chart.valToPos(days[index], "x", true);
    ctx.moveTo(x, chart.valToPos(value - series[index], "y", true));
    ctx.lineTo(x, chart.valToPos(value + series[index], "y", true));
  });
  ctx.stroke();
  ctx.restore();
}

function todayLine(chart, today, colour, textColour) {
  const { ctx, bbox } = chart;
  const ratio = devicePixelRatio;
  const x = Math.round(chart.valToPos(today, "x", true));
  if (x < bbox.left || x > bbox.left + bbox.width) return;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = ratio;
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.fillStyle = textColour;
  ctx.font = chart.axes[0].font[0];
  const right = x > bbox.left + bbox.width * 0.85;
  ctx.textAlign = right ? "right" : "left";
  ctx.textBaseline = "bottom";
  ctx.fillText("today", x + (right ? -6 : 6) * ratio, bbox.top + bbox.height - 6 * ratio);
  ctx.restore();
}

// The vertical range: everything that is drawn, the goal with room for its words, in steps of ten.
function verticalRange(data) {
  const drawn = [...data.low, ...data.high, ...data.measured].filter((v) => v != null).concat(data.goal);
  return [Math.floor((Math.min(...drawn) - 4) / 10) * 10, Math.ceil((Math.max(...drawn) + 6) / 10) * 10];
}

function nearest(data, index) {
  const find = (column) => {
    for (let away = 0; away < data.day.length; away += 1) {
      for (const at of [index - away, index + away]) {
        if (column[at] != null && Math.abs(data.day[at] - data.day[index]) <= 0.75) return at;
      }
    }
    return null;
  };
  return { measured: find(data.measured), expected: find(data.mean) };
}

function describe(data, index) {
  const near = nearest(data, index);
  const day = Math.floor(data.day[index]);
  const date = new Date(`${data.surgery_on}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + day);
  const parts = [[`Day ${day}`, true], `${date.getUTCDate()} ${months[date.getUTCMonth()]} ${date.getUTCFullYear()}`];
  if (near.measured != null) {
    parts.push("· measured", [`${degrees(data.measured[near.measured])} ± ${data.error[near.measured].toFixed(data.error[near.measured] < 0.95 ? 1 : 0)}°`, true]);
  }
  if (near.expected != null) {
    parts.push("· expected", [degrees(data.mean[near.expected]), true], `(${degrees(data.low[near.expected])} to ${degrees(data.high[near.expected])})`);
  }
  return parts;
}

export function courseChart(place, data, readout) {
  const columns = [data.day, data.low, data.high, data.mean, data.measured];
  const latest = data.measured.findLastIndex((value) => value != null);
  const rest = () => (latest >= 0 ? read(readout, describe(data, latest)) : read(readout, ["Expected course; nothing measured yet."]));
  rest();
  return keep(place, columns, (colour) => ({
    padding: [10, 14, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: { x: { time: false }, y: { range: () => verticalRange(data) } },
    axes: axes(colour, "days since surgery"),
    series: [
      {},
      { stroke: "transparent", spanGaps: true, points: { show: false } },
      { stroke: "transparent", spanGaps: true, points: { show: false } },
      { stroke: colour("chart-mean"), width: 2, spanGaps: true, points: { show: false } },
      { paths: () => null, points: { show: true, size: 8, width: 1.5, stroke: colour("surface"), fill: colour("chart-point") } },
    ],
    bands: [{ series: [2, 1], fill: colour("chart-band") }],
    hooks: {
      drawAxes: [(chart) => todayLine(chart, data.today, colour("line-strong"), colour("soft"))],
      drawSeries: [(chart, index) => {
        if (index === 3) {
          level(chart, data.goal, `goal ${degrees(data.goal)}`, colour("chart-goal"));
          errorBars(chart, data.error, colour("chart-point"));
        }
      }],
      setCursor: [(chart) => (chart.cursor.idx == null || chart.cursor.left < 0 ? rest() : read(readout, describe(data, chart.cursor.idx)))],
    },
  }));
}
