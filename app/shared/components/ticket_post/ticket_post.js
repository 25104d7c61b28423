// Hands the ticket of a verified sign-in to the server, which answers with the session's cookie.
export default function ({ parentElement, data }) {
  const form = parentElement.querySelector("form");
  if (form.dataset.sent) return;
  form.dataset.sent = "yes";
  const here = new URL(location.href);
  here.searchParams.delete("sign-in");
  form.elements.ticket.value = data.ticket;
  form.elements.next.value = here.pathname + here.search;
  form.submit();
}
