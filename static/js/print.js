// A button that prints the page, where scripts run.
"use strict";

const print = document.querySelector("[data-print]");
print.hidden = false;
print.addEventListener("click", () => window.print());
