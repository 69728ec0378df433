// A click or a drag in a still chart sets knobs to that place: the page draws the chart again, then the next is sent.

const MAX_WAIT_MS = 500; // for the frame of the last place: the same place again brings no frame

export class DragKnobs {
  constructor(chart) {
    this.chart = chart;
    chart.plot.classList.add("turns");
    chart.plot.addEventListener("pointerdown", (event) => event.button === 0 && this.begin(event), true);
  }

  begin(event) {
    const ended = new AbortController();
    const listen = (type, act) => window.addEventListener(type, act, { capture: true, signal: ended.signal });
    this.move(event);
    listen("pointermove", (later) => this.move(later)); // on window: while a button is down, Plotly covers the page
    listen("pointerup", () => ended.abort());
    listen("pointercancel", () => ended.abort());
  }

  move(event) {
    const place = this.chart.pointAt(event);
    if (place) this.pick(place);
  }

  /** Send a place, or keep it as the next one while the page draws the last. */
  pick(place) {
    this.next = { chart: this.chart.spec.name, ...place };
    if (!this.waiting) this.send();
  }

  send() {
    this.chart.board.pick(this.next);
    this.next = null;
    this.waiting = setTimeout(() => this.shown(), MAX_WAIT_MS);
  }

  /** The frame has arrived: send the place to which the pointer has moved since. */
  shown() {
    clearTimeout(this.waiting);
    this.waiting = null;
    if (this.next) this.send();
  }
}
