/** One attempt of a job in this page. */
(function (parts) {
  'use strict';

  /** Where an attempt stands in this page. */
  var PHASE = {
    OFFERED: 'offered',   // the accept is on its way
    WAITING: 'waiting',   // accepted; `go` has not come
    RUNNING: 'running',
    ENDED: 'ended'        // its report is repeated until there is a verdict
  };

  parts.PHASE = PHASE;
}(parts));
