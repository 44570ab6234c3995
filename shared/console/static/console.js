// Says whether the page is live, and lets go of the stream with the page: one that the
// browser keeps for its back button would hold the connection, of which there are six.
(function () {
  "use strict";
  var pulse = document.getElementById("pulse");
  var stream = null;
  function say(word) {
    if (!pulse || pulse.dataset.state === word) return;
    pulse.dataset.state = word;
    pulse.textContent = word === "live" ? "live" : "not live: reload when the console is back";
  }
  document.addEventListener("htmx:sse:after:connection", function (event) {
    stream = event.detail.connection;
    say("live");
  });
  document.addEventListener("htmx:sse:error", function () { say("lost"); });
  window.addEventListener("pagehide", function () {
    if (stream && stream.abortController) stream.abortController.abort();
  });
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) location.reload();
  });
})();
