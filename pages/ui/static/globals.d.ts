// For the type checker: what our scripts find on `window`.

interface Window {
  Plotly: any; // from plotly.min.js
  __board_frames: number; // frames painted, for tests and benchmarks
  __entries_decided: boolean; // history.js has been loaded
  __modules: object; // all of ours, by name (routes/files/bundle.py)
  __page_begun: boolean; // page.js has been loaded
  __streamlit: object; // what Streamlit's front end reads before it starts
  __forgives_translators: boolean; // translated.js has prepared this page
}
