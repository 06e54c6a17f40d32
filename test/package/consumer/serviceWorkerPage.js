navigator.serviceWorker.onmessage = ({ data }) => {
  document.body.textContent = JSON.stringify(data);
};
await navigator.serviceWorker.register('./serviceWorker.js', { type: 'module' });
const { active } = await navigator.serviceWorker.ready;
active.postMessage(new URLSearchParams(location.search).get('backend'));
