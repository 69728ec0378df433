// For the type checker: what our scripts find on `window`.

interface Window {
  Plotly: any; // from plotly.min.js
  __board_frames: number; // frames painted, for tests and benchmarks
  __forgives_translators: boolean; // translated.js has prepared this page
}
