// Says whether the page is live: everything else is htmx's.
(function () {
  "use strict";
  var pulse = document.getElementById("pulse");
  function say(word) {
    if (!pulse || pulse.dataset.state === word) return;
    pulse.dataset.state = word;
    pulse.textContent = word === "live" ? "live" : "not live: reload when the console is back";
  }
  document.addEventListener("htmx:sse:after:connection", function () { say("live"); });
  document.addEventListener("htmx:sse:error", function () { say("lost"); });
})();
