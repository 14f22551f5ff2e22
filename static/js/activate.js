// A scanned code stands after the # of the address, which browsers send to nobody: fill it in.
"use strict";

const code = location.hash.slice(1);
if (code) {
  history.replaceState(null, "", location.pathname);
  document.getElementById("id_code").value = code;
  document.getElementById("id_password1").focus();
}
