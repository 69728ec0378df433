// What a class can be sent to, or asked: the lessons with their labs and experiments, as the server lists them.

import { addressOf } from "../../address.js";

let found; // a promise

/** The lessons in order: [{name, title, labs, knobs, experiments: [{id, title, lab, question, settings}]}]. */
export function lessons() {
  found ??= fetch(addressOf("class/lessons")).then((answer) => answer.json()).catch(() => {
    found = undefined;
    return [];
  });
  return found;
}

/** The place of an experiment, of a lab, or of a whole lesson, as a command has it. */
export function placeOf(lesson, experiment = null, lab = null) {
  if (experiment) {
    return {
      page: lesson.name,
      query: `?${lesson.name}_try=${experiment.id}`,
      experiment: experiment.id,
      title: experiment.title,
    };
  }
  return {
    page: lesson.name,
    query: lab ? `?${lesson.name}_lab=${lab.name}` : "",
    experiment: null,
    title: lab ? `${lesson.title}: ${lab.title}` : lesson.title,
  };
}

/** An experiment's settings without its question and sentence: a preset. */
export const presetOf = (lesson, experiment) => ({
  page: lesson.name,
  query: experiment.settings ? `?${experiment.settings}` : "",
  experiment: null,
  title: experiment.title,
});

/** The experiment of this page and id, or undefined. */
export const experimentOf = (list, page, id) =>
  list.find(({ name }) => name === page)?.experiments.find((each) => each.id === id);
