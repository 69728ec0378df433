// Moves lines without a full Plotly update. Plotly.react draws every point of a chart again when one line of it moves
// (42 ms a frame for the regression fit on a slow machine, against 1 ms for the line's own path), so between two full
// updates only the paths of the lines that moved are set. What Plotly knows follows at the next full update.

/** Whether a change is nothing but maps and new coordinates of lines (hover texts may wait for the full update). */
export function isQuick(figure, patch) {
  return patch.every(([path]) => {
    if (path[0] === "maps" || path[0] === "parameters") return true;
    if (path[0] !== "data" || path.length !== 3) return false;
    return path[2] === "hovertext" || ((path[2] === "x" || path[2] === "y") && figure.data[path[1]].mode === "lines");
  });
}

/** Set the paths of the traces named; false where Plotly has not drawn one of them yet. */
export function moveLines(plot, data, indices) {
  const full = plot._fullLayout;
  if (!full?.xaxis?.d2p || plot.offsetParent === null) return false;
  const moves = [];
  for (const index of indices) {
    const { x, y, visible } = data[index];
    if (visible === false) continue;
    const paths = plot.querySelectorAll(`.trace${plot._fullData[index]?.uid} .js-line`);
    if (paths.length === 0) {
      if (y.some(Number.isFinite)) return false;
      continue;
    }
    moves.push([paths, pathOf(x, y, full.xaxis, full.yaxis)]);
  }
  for (const [paths, d] of moves) paths.forEach((path, at) => path.setAttribute("d", at ? "M0,0" : d || "M0,0"));
  return true;
}

/** An SVG path through the points, broken where a coordinate is not a number. */
function pathOf(x, y, xaxis, yaxis) {
  let d = "";
  let pen = "M";
  for (let i = 0; i < y.length; i++) {
    const left = xaxis.d2p(x[i]);
    const top = yaxis.d2p(y[i]);
    if (!Number.isFinite(left) || !Number.isFinite(top)) {
      pen = "M";
      continue;
    }
    d += `${pen}${left.toFixed(2)},${clamp(top).toFixed(2)}`;
    pen = "L";
  }
  return d;
}

const clamp = (pixels) => Math.max(-20000, Math.min(20000, pixels));
