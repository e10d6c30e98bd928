// Before anything is painted, so that a chosen theme does not flash in the other one first.
(() => {
  const chosen = (() => {
    try {
      return localStorage.getItem('dialoglens.theme');
    } catch (_storageIsOff) {
      return null;
    }
  })();
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
  if (new URLSearchParams(location.search).has('overlay')) document.documentElement.dataset.overlay = '';
})();
