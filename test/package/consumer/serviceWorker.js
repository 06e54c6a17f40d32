// In a service worker, which cannot load anything on demand: built into one file.
import { losses } from './losses.js';

addEventListener('message', (event) => {
  const { data: backend, source } = event;
  event.waitUntil(
    losses({ backend })
      .catch(String)
      .then((said) => source.postMessage(said)),
  );
});
