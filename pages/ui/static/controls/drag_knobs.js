// A still chart of which a click or a drag turns knobs to a place: the page draws it anew, and only then is the next sent.

const LONGEST_WAIT_MS = 500; // for the picture of the last place: the same place again brings none

export class Turning {
  constructor(chart) {
    this.chart = chart;
    chart.plot.classList.add("turns");
    chart.plot.addEventListener("pointerdown", (event) => event.button === 0 && this.begin(event), true);
  }

  begin(event) {
    const ended = new AbortController();
    const listen = (type, act) => window.addEventListener(type, act, { capture: true, signal: ended.signal });
    this.move(event);
    listen("pointermove", (later) => this.move(later)); // Plotly lays a cover over the page while a button is down
    listen("pointerup", () => ended.abort());
    listen("pointercancel", () => ended.abort());
  }

  move(event) {
    const place = this.chart.pointAt(event);
    if (!place) return;
    this.next = { chart: this.chart.spec.name, ...place };
    if (!this.waiting) this.send();
  }

  send() {
    this.chart.board.pick(this.next);
    this.next = null;
    this.waiting = setTimeout(() => this.shown(), LONGEST_WAIT_MS);
  }

  /** The picture is there: on to where the pointer has gone meanwhile. */
  shown() {
    clearTimeout(this.waiting);
    this.waiting = null;
    if (this.next) this.send();
  }
}
