// A lesson's words: HTML that the page gives, of which the experiments' buttons say which one was chosen.

const shown = new WeakMap(); // the root in each place that Streamlit keeps for one

export default function ({ data, parentElement, setTriggerValue }) {
  let root = shown.get(parentElement);
  if (!root?.isConnected) {
    root = document.createElement("div");
    root.dataset.prose = "";
    parentElement.append(root);
    shown.set(parentElement, root);
  }
  if (root.words !== data.html) root.innerHTML = root.words = data.html;
  root.onclick = (event) => {
    const button = event.target.closest("button[data-try]");
    if (button) setTriggerValue("chosen", Number(button.dataset.try));
  };
}
