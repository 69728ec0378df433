// Loads Plotly, once for all charts of the page.

let plotly; // a promise

/** A promise of Plotly, loaded from the URL at the first call; it is rejected where that fails. */
export function loadPlotly(url) {
  plotly ??= new Promise((resolve, reject) => {
    if (window.Plotly) return resolve(window.Plotly);
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error(url));
    document.head.append(script);
  });
  return plotly;
}
