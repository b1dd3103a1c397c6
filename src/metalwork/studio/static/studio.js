"use strict";
// What htmx does not: keys. Everything works by links, forms and buttons as well.
(function () {
  function typing(target) {
    return target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]") !== null;
  }
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
    if (typing(event.target)) {
      // Ctrl-free saving: none. Enter in the type-ahead picks the first label that fits.
      if (event.key === "Enter" && event.target.dataset.picks) {
        const first = document.querySelector(event.target.dataset.picks + " button:not([hidden])");
        if (first) { event.preventDefault(); first.click(); }
      }
      return;
    }
    if (event.key === "/") {
      const field = document.querySelector("[data-search]");
      if (field) { event.preventDefault(); field.focus(); field.select(); }
      return;
    }
    const onControl = event.target instanceof HTMLElement && event.target.closest("button, a, summary") !== null;
    if (onControl && (event.key === "Enter" || event.key === " ")) return;
    for (const button of document.querySelectorAll("[data-key]")) {
      if (button.dataset.key === event.key && !button.hidden && !button.disabled) {
        event.preventDefault();
        button.click();
        return;
      }
    }
  });
  // Words that are selected in a record can become a rule.
  document.addEventListener("selectionchange", function () {
    const link = document.getElementById("selected");
    const selection = document.getSelection();
    if (!link || !selection) return;
    const start = selection.anchorNode && selection.anchorNode.parentElement;
    const words = selection.toString().trim().replace(/\s+/g, " ");
    link.hidden = !(start && start.closest(".record .body") && words && words.length <= 80);
    if (!link.hidden) {
      link.href = "/rules/new?words=" + encodeURIComponent(words);
      link.textContent = "Rule from \u201c" + words + "\u201d (r)";
    }
  });
  document.addEventListener("input", function (event) {
    const target = event.target;
    if (!(target instanceof HTMLElement) || !target.dataset.picks) return;
    const wanted = target.value.trim().toLowerCase();
    const onControl = event.target instanceof HTMLElement && event.target.closest("button, a, summary") !== null;
    if (onControl && (event.key === "Enter" || event.key === " ")) return;
    for (const button of document.querySelectorAll(target.dataset.picks + " button")) {
      button.hidden = wanted !== "" && !button.textContent.toLowerCase().includes(wanted);
    }
  });
})();
