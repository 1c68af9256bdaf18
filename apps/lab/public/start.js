// Says what to do where the lab itself cannot be fetched. This file has no version in its name, so it is always there.
addEventListener(
  'error',
  ({ target }) => {
    const waiting = document.querySelector('#app > .waiting');
    if (!waiting || !(target instanceof HTMLScriptElement || target instanceof HTMLLinkElement))
      return;
    waiting.textContent =
      'The lab could not be loaded: the connection is lost, or a newer version has taken the place of this one. ' +
      'Your runs are kept in this browser. ';
    const again = document.createElement('button');
    again.textContent = 'Load the lab again';
    again.addEventListener('click', () => location.reload());
    waiting.append(again);
  },
  true,
);
