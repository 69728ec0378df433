// Stands in for the live reader of one run until there is one: the miniature below it is what is seen.

export class ReaderBoard {
  constructor(parent, { code, token, run, large = false }) {
    Object.assign(parent.dataset, { code, large });
    this.run = token && run;
  }

  destroy() {}
}
