// The pages of a class outside the app: which one this is, its sentences, and what all of them have.

import { element } from "../../dom.js";
import { join } from "./join.js";
import { forgetOldClasses } from "../../storage.js";
import { followLook } from "../look.js";
import { projector } from "./projector.js";
import { remote } from "./remote.js";
import { teach } from "./teach.js";
import { voteOnly } from "./vote.js";

const PAGES = { class: teach, join, projector, remote, vote: voteOnly };
const script = document.currentScript;
const { page } = document.documentElement.dataset;

followLook();
forgetOldClasses();
if (script && PAGES[page]) {
  const words = JSON.parse(script.dataset.words);
  const root = element("div", { id: "page" });
  document.body.append(root);
  PAGES[page](root, words);
}
