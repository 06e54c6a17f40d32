// In a module worker of a page.
const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
worker.onmessage = ({ data }) => {
  document.body.textContent = JSON.stringify(data);
};
worker.onerror = ({ message }) => {
  document.body.textContent = JSON.stringify(message ?? 'the worker did not start');
};
worker.postMessage(new URLSearchParams(location.search).get('backend'));
