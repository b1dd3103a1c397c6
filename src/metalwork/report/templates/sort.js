// Tables are sorted by a click on a column's head, or Enter on it: within each group, and a second time the other way.
for (const table of document.querySelectorAll("table.sort")) {
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  const value = (row, column) => {
    const text = row.cells[column].textContent.trim().replace(/,/g, "");
    const number = parseFloat(text.replace("<", ""));
    return isNaN(number) ? (text === "–" || text === "" ? -Infinity : text.toLowerCase()) : number;
  };
  heads.forEach((head, column) => {
    head.tabIndex = 0;
    const sort = () => {
      const down = head.getAttribute("aria-sort") !== "descending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      for (const body of table.tBodies) {
        const rows = [...body.rows].filter((row) => row.cells.length === heads.length && row.className !== "task");
        const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1);
        rows.sort((a, b) => order(value(a, column), value(b, column))).forEach((row) => body.append(row));
      }
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(); });
  });
}
