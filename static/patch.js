/*
 * Changes a part of a page to what a newer one has, for console.js: only what is different, so what
 * has the focus or is scrolled stays. A form is never touched, and never goes while it holds what
 * somebody has typed. ES5.
 *
 * Elements are told from their neighbours by data-key, id or action.
 */
(function () {
  'use strict';

  /** Whether something stays only because somebody has typed into it. */
  var keeps = false;

  /** What tells an element from its neighbours; '' for one that its place tells. */
  function keyOf(node) {
    if (node.nodeType !== 1) { return ''; }
    return node.getAttribute('data-key') || node.id || node.getAttribute('action') || '';
  }

  function isLike(here, there) {
    return here.nodeName === there.nodeName && keyOf(here) === keyOf(there);
  }

  /** Whether people set it themselves: they open details, and these stay open. */
  function isTheirs(node, name) { return node.nodeName === 'DETAILS' && name === 'open'; }

  function patchAttributes(here, there) {
    var index;
    var name;
    for (index = here.attributes.length - 1; index >= 0; index -= 1) {
      name = here.attributes[index].name;
      if (!there.hasAttribute(name) && !isTheirs(here, name)) { here.removeAttribute(name); }
    }
    for (index = 0; index < there.attributes.length; index += 1) {
      name = there.attributes[index].name;
      if (here.getAttribute(name) !== there.getAttribute(name) && !isTheirs(here, name)) {
        here.setAttribute(name, there.getAttribute(name));
      }
    }
  }

  /** Whether a field has something else than what the server wrote into it. */
  function isTyped(field) {
    var index;
    if (field.nodeName !== 'SELECT') {
      return field.value !== field.defaultValue || field.checked !== field.defaultChecked;
    }
    for (index = 0; index < field.options.length; index += 1) {
      if (field.options[index].defaultSelected) { return !field.options[index].selected; }
    }
    return field.selectedIndex > 0;
  }

  function holdsTyped(node) {
    var fields = node.nodeType === 1 ? node.querySelectorAll('input, textarea, select') : [];
    return [].some.call(fields, isTyped);
  }

  /** Removes it, unless somebody has typed into it: a reason that is lost is not typed again. */
  function drop(node) {
    if (holdsTyped(node)) { keeps = true; } else { node.parentNode.removeChild(node); }
  }

  function kindOf(node) { return node.nodeName + ' ' + keyOf(node); }

  /** The first sibling from here on that is like it. */
  function findLike(here, there) {
    while (here && !isLike(here, there)) { here = here.nextSibling; }
    return here;
  }

  /** Removes what is not wanted any more, so that what stays need not be moved. */
  function dropOthers(here, wanted) {
    var child;
    var next;
    for (child = here.firstChild; child; child = next) {
      next = child.nextSibling;
      if (!wanted[kindOf(child)]) { drop(child); }
    }
  }

  /** The first one from here on that is wanted: what is only kept stays where it is. */
  function pastKept(at, wanted) {
    while (at && !wanted[kindOf(at)]) { at = at.nextSibling; }
    return at;
  }

  function patchChildren(here, there) {
    var wanted = {};
    var at;
    var child;
    var old;
    var next;
    for (child = there.firstChild; child; child = child.nextSibling) {
      wanted[kindOf(child)] = true;
    }
    dropOthers(here, wanted);
    at = pastKept(here.firstChild, wanted);
    for (child = there.firstChild; child; child = child.nextSibling) {
      old = findLike(at, child);
      if (!old) {
        here.insertBefore(document.importNode(child, true), at);
      } else {
        if (old !== at) { here.insertBefore(old, at); }
        patch(old, child);
        if (old === at) { at = pastKept(at.nextSibling, wanted); }
      }
    }
    for (; at; at = next) {
      next = at.nextSibling;
      drop(at);
    }
  }

  /** Changes only what is different. What is typed or chosen in a form stays. */
  function patch(here, there) {
    if (here.nodeType === 3) {
      if (here.data !== there.data) { here.data = there.data; }
    } else if (here.nodeType === 1 && here.nodeName !== 'FORM') {
      patchAttributes(here, there);
      patchChildren(here, there);
    }
  }

  window.PagehandPatch = {
    holdsTyped: holdsTyped,

    /** Whether something stays only because somebody has typed into it. */
    patch: function (here, there) {
      keeps = false;
      patch(here, there);
      return keeps;
    }
  };
}());
