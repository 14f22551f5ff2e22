// The demo's sign-in page: one tap fills in an account.
"use strict";

for (const button of document.querySelectorAll("button[data-username]")) {
  button.addEventListener("click", () => {
    const [login, password] = ["login", "password"].map((name) => document.querySelector(`input[name=${name}]`));
    login.value = button.dataset.username;
    password.value = button.dataset.password;
    password.form.querySelector("[type=submit], button:not([type])").focus();
  });
}
