// The sign-up page: checks in words before it asks, and shows how strong the password is while it is typed.

import { call } from "./api.js";
import { handleForm, handleReveals, isEmail } from "./forms.js";
import { judgePassword, PASSWORD_BYTES_MAX, PASSWORD_BYTES_MIN } from "./password_strength.js";
import * as session from "./session.js";

const form = document.getElementById("signup-form");
const { email, full_name: fullName, password } = form.elements;

handleReveals(form);
handleForm(form, {
  check(values) {
    const faults = {};
    if (values.full_name.trim() === "") faults.full_name = "Enter your name.";
    if (!isEmail(values.email)) faults.email = "Enter an e-mail address, like ada@example.org.";
    const size = new TextEncoder().encode(values.password).length;
    if (size < PASSWORD_BYTES_MIN) faults.password = "Use at least 8 characters.";
    if (size > PASSWORD_BYTES_MAX) faults.password = "Use at most 72 characters; special ones count more than once.";
    if (!values.terms) faults.terms = "Please accept the terms of use.";
    return faults;
  },
  async send({ email: address, full_name, password: secret }) {
    const body = { email: address, password: secret, full_name };
    session.keep(await call("POST", "/users/register", { body, quiet: true }));
    location.assign(session.nextPlace());
  },
  busyText: "Creating your account…",
  errorWords: { 409: "There is an account with this e-mail address already. Sign in instead?" },
});

for (const input of [password, email, fullName]) input.addEventListener("input", showStrength);
for (const link of document.querySelectorAll("[data-keep-next]")) link.search = location.search;

function showStrength() {
  const { score, words } = judgePassword(password.value, [email.value, fullName.value]);
  document.getElementById("strength-bars").dataset.score = String(score);
  const place = document.getElementById("password-strength");
  if (place.textContent !== words) place.textContent = words;
}
