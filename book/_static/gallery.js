// Filters and sorts the rows of the gallery; without it all rows are shown, in the order of their files.
const gallery = document.getElementById("gallery");
const rows = [...gallery.querySelectorAll("tbody tr")];
const selects = [...gallery.querySelectorAll("select")];
const word = gallery.querySelector("input");

function filter() {
  const typed = word.value.toLowerCase();
  let shown = 0;
  for (const row of rows) {
    const chosen = selects.every((s) => !s.value || row.dataset[s.dataset.key].split(" ").includes(s.value));
    row.hidden = !(chosen && (row.title + row.textContent).toLowerCase().includes(typed));
    shown += !row.hidden;
  }
  gallery.querySelector("output").textContent = `${shown} of ${rows.length} runs`;
}

function sort(column, number, down) {
  const value = (row) => {
    const text = row.cells[column].textContent;
    return number ? Number(text.replaceAll(",", "")) : text;
  };
  rows.sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0) * (down ? -1 : 1));
  gallery.querySelector("tbody").append(...rows);
}

for (const head of gallery.querySelectorAll("th")) {
  head.addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    gallery.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    sort(head.cellIndex, head.dataset.kind === "number", down);
  });
}
selects.forEach((select) => select.addEventListener("change", filter));
word.addEventListener("input", filter);
filter();
